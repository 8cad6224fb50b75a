"""The words of captions: a phrase for each attribute, in three groups (is, has, wears).

Not named: 5_o_Clock_Shadow, Blurry, Male (the pronoun says it) and No_Beard.
"""

# In the order of adjectives before a noun: "attractive smiling young".
IS = {
    "Attractive": "attractive",
    "Smiling": "smiling",
    "Chubby": "chubby",
    "Young": "young",
    "Bald": "bald",
}
HAS = {
    "Arched_Eyebrows": "arched eyebrows",
    "Bags_Under_Eyes": "bags under the eyes",
    "Bangs": "bangs",
    "Big_Lips": "big lips",
    "Big_Nose": "a big nose",
    "Black_Hair": "black hair",
    "Blond_Hair": "blond hair",
    "Brown_Hair": "brown hair",
    "Bushy_Eyebrows": "bushy eyebrows",
    "Double_Chin": "a double chin",
    "Goatee": "a goatee",
    "Gray_Hair": "gray hair",
    "High_Cheekbones": "high cheekbones",
    "Mouth_Slightly_Open": "a slightly open mouth",
    "Mustache": "a mustache",
    "Narrow_Eyes": "narrow eyes",
    "Oval_Face": "an oval face",
    "Pale_Skin": "pale skin",
    "Pointy_Nose": "a pointy nose",
    "Receding_Hairline": "a receding hairline",
    "Rosy_Cheeks": "rosy cheeks",
    "Sideburns": "sideburns",
    "Straight_Hair": "straight hair",
    "Wavy_Hair": "wavy hair",
}
# The published script says "has eyeglasses"; one wears them.
WEARS = {
    "Eyeglasses": "eyeglasses",
    "Heavy_Makeup": "heavy makeup",
    "Wearing_Earrings": "earrings",
    "Wearing_Hat": "a hat",
    "Wearing_Lipstick": "lipstick",
    "Wearing_Necklace": "a necklace",
    "Wearing_Necktie": "a necktie",
}
# Of each of these a face has one at most; where the table says two, one is drawn for its captions.
EXCLUSIVE = (
    ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair", "Bald"),
    ("Straight_Hair", "Wavy_Hair", "Bald"),
    ("Bangs", "Bald"),
    ("Bangs", "Receding_Hairline"),
)
# Two of a kind share their noun: "wavy brown hair", "a big pointy nose".
SHARED_NOUNS = (
    (("Straight_Hair", "Wavy_Hair"), ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")),
    (("Big_Nose",), ("Pointy_Nose",)),
    (("Bushy_Eyebrows",), ("Arched_Eyebrows",)),
)
