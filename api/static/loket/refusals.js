// Refusals: the meaning of the server's sentences, and which refusals pass. The worker uses this too.
"use strict";
self.loket = self.loket || {};
(() => {
  const KNOWN = [
    ["is required: the journal holds no receipt", "received_at"], ["has no open file: its receipt", "no_receipt"],
    ["has no open file", "decided"], ["is already paused", "already_paused"],
    ["is not paused", "not_paused"], ["ahead", "ahead"], ["before the case was received", "before"], ["NIK or NIP", "personal"],
    ["is not registered", "unregistered"], ["names no event of the journal", "unknown_target"],
    ["may not speak for source", "other_source"], ["may not speak for dinas", "forbidden"],
    ["it was recorded by others, or too long ago", "too_late"], ["a counter gave for this case", "ticket"],
  ];

  const slugOf = (problem) => (problem?.type || "").split(/[/:#]/).pop();
  const meant = (detail) => KNOWN.find(([text]) => detail.includes(text))?.[1];

  // A missing right can be granted, and the press is then still true.
  const passing = (problem) => slugOf(problem) === "forbidden";

  // A later event or a later time may lift it, says the server: the entry waits, and is sent again.
  const lifts = (problem) => problem?.retry === true;

  loket.refusals = { slugOf, meant, passing, lifts };
})();
