"""Words from which postings are made up, in several scripts."""

TITLES = (
    "Landing page for a bakery, mobile first",
    "Scrape 20k product pages into CSV",
    "Fix Django migration that fails on PostgreSQL 16",
    "Übersetzung einer Bedienungsanleitung (DE → EN)",
    "Création d’un logo pour une épicerie fine",
    "Diseño de una app para reservar canchas de pádel",
    "Перевод технической документации на английский",
    "ロゴデザインをお願いします(和菓子屋)",
    "微信小程序开发:预约系统",
    "쇼핑몰 상세페이지 디자인",
    "تصميم هوية بصرية لمقهى",
    "עיצוב חוברת לכנס מדעי",
    "व्यापार ऐप के लिए हिंदी अनुवाद",
    "Ανάπτυξη e-shop με WooCommerce",
    "Tłumaczenie umowy „na wczoraj”",
    "Thiết kế bao bì cà phê ☕",
    "Shopify theme tweaks 🛒 – header & cart",
    "Excel macro: reconcile “paid” vs. “due”",
    "Kubernetes operator in Python, part-time",
    "Voice-over, 90 seconds, Scottish accent",
)

SLUGS = (
    "design",
    "a",
    "minimal",
    "logo",
    "for",
    "my",
    "cafe",
    "translate",
    "your",
    "website",
    "build",
    "wordpress",
    "shop",
    "edit",
    "podcast",
    "video",
)

BROKEN = (
    '{"marketplace": "upwork", "id": "~01',
    '{"marketplace": "freelancer", "title": "no id", "budget": 120}',
    '{"marketplace": "fiverr", "id": "a-budget-in-words", "title": "?", "budget": "a lot"}',
)
"""Lines as a feed really brings them: cut off, incomplete, wrong."""
