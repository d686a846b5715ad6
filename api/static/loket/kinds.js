// Kinds: a kind of event spelt as the type of its events, and read from a type. `domain/events/names.py` does the same.
"use strict";
self.loket = self.loket || {};
self.loket.kinds = {
  typeOf: (kind) => `neraca.${kind}.v1`,
  kindOf: ({ type }) => type.replace(/^neraca\./, "").replace(/\.v1$/, ""),
};
