// Kinds: how a kind of event is spelt as the type of its events, and read from one. `domain/events/names.py` says the same.
"use strict";
self.loket = self.loket || {};
self.loket.kinds = {
  typeOf: (kind) => `neraca.${kind}.v1`,
  kindOf: ({ type }) => type.replace(/^neraca\./, "").replace(/\.v1$/, ""),
};
