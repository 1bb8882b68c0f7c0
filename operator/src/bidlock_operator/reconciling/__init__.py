"""One policy at a time: look at everything, decide one thing, do it, look again. Nothing is remembered that matters."""
