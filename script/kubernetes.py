"""Makes src/scorekit/builtin/kubernetes.json from the swagger files of Kubernetes versions, the oldest first.

The committed file was made from api/openapi-spec/swagger.json of the Go modules k8s.io/kubernetes v1.8.0,
v1.15.12 and v1.31.0, the last two with their version written into info.version, where they have "unversioned".
"""

import json
import sys
from functools import reduce
from pathlib import Path

from scorekit.ks.library.bundled import packed
from scorekit.ks.library.swagger import ApiDescription, Definition, describe

TARGET = Path(__file__).parents[1] / "src/scorekit/builtin/kubernetes.json"


def main(files: list[str]) -> None:
    descriptions = [describe(json.loads(Path(file).read_text(encoding="utf-8"))) for file in files]
    TARGET.write_text(packed(reduce(united, descriptions)), encoding="utf-8")
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")


def united(older: ApiDescription, newer: ApiDescription) -> ApiDescription:
    """Returns the union of both. If they differ on a field, the older one wins, so that old apps render as before."""
    definitions = dict(newer.definitions)
    for name, definition in older.definitions.items():
        known = {field.name for field in definition.fields}
        other = newer.definitions.get(name, definition)
        added = tuple(field for field in other.fields if field.name not in known)
        fields = sorted((*definition.fields, *added), key=lambda field: field.name)
        definitions[name] = Definition(name, tuple(fields), served=definition.served or other.served)
    return ApiDescription(newer.version, definitions)


if __name__ == "__main__":
    main(sys.argv[1:])
