"""Parts that every page of results has."""

LICENCES = {
    "officials": "official portraits of US officials, public domain",
    "london": "Face Research Lab London Set (DeBruine & Jones), CC BY 4.0",
    "ffhq": "crops of Flickr-Faces-HQ, CC BY-NC-SA 4.0",
}


def circumstances(result: dict) -> str:
    """Date, machine, weights and pictures of a report, as a list."""
    pictures = result["pictures"]
    weights = ", ".join(f"{name} `{digest[:12]}`" for name, digest in result["weights"].items())
    lines = [
        f"- Measured on {result['date']}, {result['machine']}.",
        f"- Model {result['model']}; SHA-256 of the weights begins: {weights}.",
        f"- {sum(pictures.values())} pictures:",
        *(f"  - {count} {LICENCES.get(name, name)}" for name, count in pictures.items()),
    ]
    return "\n".join(lines)
