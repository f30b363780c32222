# SPDX-License-Identifier: GPL-2.0-or-later
"""The description of the API as a judge: requests are checked against it before they are made, replies afterwards.
Test files import it; it is no test itself."""
import copy
import json
import os
import re
import sys
import urllib.parse

try:
    import jsonschema
except ImportError:  # Debian's module is for Debian's Python, and another may come first
    if os.path.realpath(sys.executable) == os.path.realpath("/usr/bin/python3"):
        raise
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

PROBLEM = "application/problem+json"
METHODS = ("get", "post", "put", "patch", "delete")


formats = jsonschema.FormatChecker(())


@formats.checks("date-time")
def is_time(value):
    return not isinstance(value, str) or bool(
        re.fullmatch(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value))


@formats.checks("uri")
def is_uri(value):
    return not isinstance(value, str) or bool(re.fullmatch(r"[a-z][a-z0-9+.-]*:[!-~]+", value))


class Wrong(AssertionError):
    """What was said differs from what is described."""


class Description:
    """/v1/openapi.json of a server."""

    def __init__(self, document):
        self.document = document
        self.operations = {}  # operationId: (method, path, operation)
        for path, operations in document["paths"].items():
            for method in METHODS:
                if method in operations:
                    name = operations[method]["operationId"]
                    if name in self.operations:
                        raise Wrong(f"two operations are called {name}")
                    self.operations[name] = (method.upper(), path, operations[method])

    def follow(self, value):
        """What a reference stands for."""
        while isinstance(value, dict) and "$ref" in value:
            place = self.document
            for step in value["$ref"].removeprefix("#/").split("/"):
                place = place[step.replace("~1", "/").replace("~0", "~")]
            value = place
        return value

    def check(self, schema, value, what):
        """The value fits the schema, and formats are what they say."""
        whole = {"allOf": [schema], "components": self.document["components"]}
        checker = jsonschema.Draft202012Validator(whole, format_checker=formats)
        faults = [f"{fault.json_path}: {fault.message}"[:300] for fault in checker.iter_errors(value)]
        if faults:
            raise Wrong(f"{what} is not as described: " + "; ".join(faults[:5]))

    def branches(self, schema, words=("allOf", "anyOf", "oneOf")):
        """A schema and those that apply, or may apply, with it."""
        schema = self.follow(schema)
        found = [schema]
        for word in words:
            for part in schema.get(word, []):
                found += self.branches(part, words)
        return found

    def unknown(self, schema, value, path="$"):
        """Members of a reply that the description does not know. An object without properties may hold anything."""
        found = []
        branches = self.branches(schema)
        if isinstance(value, dict):
            properties = {}
            for branch in branches:
                properties.update(branch.get("properties", {}))
            others = [branch["additionalProperties"] for branch in branches
                      if isinstance(branch.get("additionalProperties"), dict)]
            for name, member in value.items():
                if name in properties:
                    found += self.unknown(properties[name], member, f"{path}.{name}")
                elif properties and not others:
                    found.append(f"{path}.{name}")
        elif isinstance(value, list):
            for branch in branches:
                for member in value if "items" in branch else []:
                    found += self.unknown(branch["items"], member, f"{path}[]")
        return sorted(set(found))

    def parameters(self, name):
        """The parameters of an operation: {(where, name): parameter}."""
        return {(p["in"], p["name"]): p for p in map(self.follow, self.operations[name][2].get("parameters", []))}

    def body_schema(self, name, media="application/json"):
        content = self.operations[name][2].get("requestBody", {}).get("content", {})
        return content[media]["schema"] if media in content else None

    def required(self, name, body):
        """Places in a valid body that the description wants to be there, as lists of steps."""
        def look(schema, value, place):
            for branch in self.branches(schema, ("allOf",)):
                if isinstance(value, dict):
                    for member in branch.get("required", []):
                        yield place + [member]
                    for member, inner in branch.get("properties", {}).items():
                        if member in value:
                            yield from look(inner, value[member], place + [member])
                elif isinstance(value, list) and "items" in branch and value:
                    yield from look(branch["items"], value[0], place + [0])
        found = []
        for place in look(self.body_schema(name), body, []):
            if place not in found:
                found.append(place)
        return found


def without(body, place):
    """A copy of the body that lacks one member."""
    body = copy.deepcopy(body)
    inner = body
    for step in place[:-1]:
        inner = inner[step]
    inner.pop(place[-1], None)
    return body


def typed(text, schema):
    """A parameter's text as the value that its schema speaks of."""
    try:
        return json.loads(text) if schema.get("type") in ("integer", "number", "boolean") else text
    except ValueError:
        return text


class Driver:
    """Makes valid requests of one server, and keeps what was asked and answered."""

    def __init__(self, server):
        self.server = server
        self.description = Description(server.get("/v1/openapi.json"))
        self.replies = {}  # operationId: [status]
        self.bodies = set()  # operationIds that were asked with a valid JSON body, and before that with faulty ones
        self.accepted = []   # faulty bodies that were not refused as such
        self.unknown = set()
        self.asked = set()   # (operationId, query parameter)

    def target(self, name, path, query):
        description = self.description
        parameters = description.parameters(name)
        given = {("path", n): v for n, v in path.items()} | {("query", n): v for n, v in query.items()}
        for place, value in given.items():
            if place not in parameters:
                raise Wrong(f"{name} has no parameter {place}")
            schema = description.follow(parameters[place].get("schema", {}))
            description.check(schema, typed(str(value), schema), f"parameter {place[1]} of {name}")
        missing = [place for place, p in parameters.items() if p.get("required") and place[0] != "header" and place not in given]
        if missing:
            raise Wrong(f"{name} needs {missing}")
        self.asked |= {(name, parameter) for parameter in query}
        target = description.operations[name][1]
        for step, value in path.items():
            # The id of a line is two steps of the path.
            target = target.replace("{" + step + "}", urllib.parse.quote(str(value), safe="/"))
        return target + ("?" + urllib.parse.urlencode(query) if query else "")

    def ask(self, method, target, body=None, headers=None, key=None, by=None):
        """By the admin's key, another key, or a Visitor."""
        if by:
            return by.ask(method, target, body, headers)
        return self.server.ask(method, target, body, headers, key=key)

    def call(self, name, status, path=None, query=None, body=None, form=None, headers=None, key=None, by=None):
        """Ask, and have the reply judged. `form` is (content type, octets), `by` a Visitor. Returns the reply."""
        description = self.description
        method, _, operation = description.operations[name]
        target = self.target(name, path or {}, query or {})
        headers = dict(headers or {})
        if body is not None:
            description.check(description.body_schema(name), body, f"body of {name}")
            self.refuse_faulty(name, target, body, headers, key, by)
        elif form is not None:
            if description.body_schema(name, form[0].split(";")[0]) is None:
                raise Wrong(f"{name} takes no {form[0]}")
            headers["Content-Type"], body = form
        elif operation.get("requestBody", {}).get("required"):
            raise Wrong(f"{name} needs a body")
        reply = self.ask(method, target, body, headers, key, by)
        if reply.status != status:
            raise Wrong(f"{method} {target}: {reply.status} {reply.body[:400]!r}, wanted {status}")
        self.judge(name, reply)
        self.replies.setdefault(name, []).append(status)
        return reply

    def judge(self, name, reply):
        """The reply is one that the operation describes."""
        responses = self.description.operations[name][2]["responses"]
        described = self.description.follow(responses.get(str(reply.status), responses.get("default")))
        content = described.get("content", {})
        media = (reply.headers["Content-Type"] or "").split(";")[0]
        if str(reply.status) not in responses and media != PROBLEM:
            raise Wrong(f"{name} answers {reply.status}, which is not described")
        if not content:
            if reply.body:
                raise Wrong(f"{name} answers {reply.status} with a body, which is not described")
            return
        if media not in content:
            raise Wrong(f"{name} answers with {media}, described are {sorted(content)}")
        if media.endswith("json"):
            self.description.check(content[media]["schema"], reply.json, f"reply {reply.status} of {name}")
            self.unknown |= {f"{name}: {place}" for place in
                             self.description.unknown(content[media]["schema"], reply.json)}

    def refuse_faulty(self, name, target, body, headers, key, by):
        """Before its first valid body, an operation is asked with bodies that lack what is required, or have what is
        not known, and with none where there has to be one: while all else is there that it needs, so that nothing but
        the body can be why it refuses."""
        if name in self.bodies:
            return
        self.bodies.add(name)
        headers = {header: value for header, value in headers.items() if header != "Idempotency-Key"}
        faulty = [(place, without(body, place)) for place in self.description.required(name, body)]
        if self.description.operations[name][2]["requestBody"].get("required"):
            faulty.append(([], None))
        if any(part.get("additionalProperties") is False
               for part in self.description.branches(self.description.body_schema(name), ("allOf",))):
            faulty.append((["no_such_member"], body | {"no_such_member": 1}))
        for place, wrong in faulty:
            try:
                self.refused(name, target, wrong, headers, key, by)
            except Wrong as fault:
                self.accepted.append(f"{name} {place}: {fault}")

    def refused(self, name, target, body, headers, key, by):
        """A body that is a fault of whoever sends it: a problem document as described."""
        reply = self.ask(self.description.operations[name][0], target, body, headers, key, by)
        wanted = (415,) if body is None else (400, 422)
        if reply.status not in wanted:
            raise Wrong(f"{target} {json.dumps(body)[:200]}: {reply.status} {reply.body[:200]!r}, wanted {wanted}")
        if (reply.headers["Content-Type"] or "").split(";")[0] != PROBLEM:
            raise Wrong(f"{target}: {reply.status} is no problem document")
        self.judge(name, reply)
