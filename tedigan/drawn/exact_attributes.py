"""CelebA's forty attributes, read off a person and a look; each is exact because it was drawn."""

from tedigan.drawn.look import Look
from tedigan.drawn.person import Person
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES


def attributes_of(person: Person, look: Look) -> dict[str, bool]:
    """All forty attributes in CelebA's order. A drawing is never Attractive nor Blurry."""
    facts = {**_lasting(person), **_hair(person, look), **_beard(look), **_passing(look)}
    facts.update({"Attractive": False, "Blurry": False})
    return {name: bool(facts[name]) for name in ATTRIBUTE_NAMES}


def _lasting(person: Person) -> dict[str, bool]:
    return {
        "Arched_Eyebrows": person.has_arched_brows,
        "Big_Lips": person.has_big_lips,
        "Big_Nose": person.nose_kind == "big",
        "Bushy_Eyebrows": person.has_bushy_brows,
        "Chubby": person.is_chubby,
        "Double_Chin": person.has_double_chin,
        "High_Cheekbones": person.has_high_cheekbones,
        "Male": person.is_male,
        "Narrow_Eyes": person.has_narrow_eyes,
        "Oval_Face": person.face_shape == "oval",
        "Pale_Skin": person.is_pale,
        "Pointy_Nose": person.nose_kind == "pointy",
        "Young": person.is_young,
    }


def _hair(person: Person, look: Look) -> dict[str, bool]:
    """Hair facts; short hair under a hat keeps its colour, yet shows neither waves nor hairline."""
    has_hair = person.hairline != "bald"
    shows_texture = has_hair and (look.hat == "none" or look.is_long)
    colours = {
        "Black_Hair": "black",
        "Blond_Hair": "blond",
        "Brown_Hair": "brown",
        "Gray_Hair": "gray",
    }
    return {
        **{name: has_hair and person.hair_family == family for name, family in colours.items()},
        "Bald": not has_hair,
        "Bangs": look.has_bangs,
        "Receding_Hairline": person.hairline == "receding" and look.hat == "none",
        "Sideburns": look.has_sideburns,
        "Straight_Hair": shows_texture and not person.is_wavy,
        "Wavy_Hair": shows_texture and person.is_wavy,
    }


def _beard(look: Look) -> dict[str, bool]:
    kind = look.facial_hair
    return {
        "5_o_Clock_Shadow": kind == "stubble",
        "Goatee": kind in ("goatee", "goatee_mustache"),
        "Mustache": kind in ("mustache", "goatee_mustache", "beard"),
        "No_Beard": kind == "none",
    }


def _passing(look: Look) -> dict[str, bool]:
    return {
        "Bags_Under_Eyes": look.has_bags,
        "Eyeglasses": look.glasses != "none",
        "Heavy_Makeup": look.has_heavy_makeup,
        "Mouth_Slightly_Open": look.is_mouth_open,
        "Rosy_Cheeks": look.has_rosy_cheeks,
        "Smiling": look.is_smiling,
        "Wearing_Earrings": look.earrings != "none",
        "Wearing_Hat": look.hat != "none",
        "Wearing_Lipstick": look.lipstick is not None,
        "Wearing_Necklace": look.necklace != "none",
        "Wearing_Necktie": look.has_tie,
    }
