"""The names that visitors get: a hundred, from many languages, each one word and easy to say."""

GUEST_NAMES = [
    "Abeni", "Aiko", "Ailsa", "Akua", "Alma", "Amara", "Amina", "Anahí", "Anouk", "Arvo",
    "Asger", "Ayşe", "Bahar", "Bao", "Beatriz", "Birgit", "Bojan", "Branwen", "Bruno", "Célia",
    "Chidi", "Dafydd", "Dalia", "Darya", "Deniz", "Dilnoza", "Edda", "Eero", "Eleni", "Emeka",
    "Enzo", "Esra", "Farah", "Fatou", "Fergus", "Freya", "Giulia", "Goran", "Gwen", "Habib",
    "Hana", "Haruki", "Hedda", "Hoku", "Ilse", "Imani", "Ines", "Ioana", "Itziar", "Ivo",
    "Jaana", "Jamal", "Joaquín", "Jorunn", "Kaito", "Kalani", "Kamala", "Katya", "Keiko", "Kofi",
    "Laima", "Leila", "Linnea", "Lupe", "Maarja", "Mahina", "Malik", "Manu", "Marisol", "Mei",
    "Mihail", "Naledi", "Nanami", "Niamh", "Nikos", "Odile", "Ola", "Oksana", "Omar", "Paloma",
    "Priya", "Rania", "Ravi", "Rhys", "Roza", "Saoirse", "Selam", "Sindri", "Soo-ah", "Tariq",
    "Tove", "Ulysses", "Vesna", "Wanjiru", "Xiomara", "Yara", "Yusuf", "Zoltan", "小明", "晓月",
]  # fmt: skip
