/** Errors of telling people: code → what it means and how to mend it. Source of docs/reference/errors.md. */
export const REPORT_ERRORS = {
  InvalidAddress: {
    meaning: 'A listen address (--metrics-address, --health-address) cannot be read.',
    mend: 'Write it as :8080, 127.0.0.1:8080 or [::1]:8080, or 0 to switch the endpoint off.',
  },
  ListenFailed: {
    meaning: 'The process cannot listen on a metrics or health address.',
    mend: 'Choose a port that is free, on an address of this machine, above 1023 for a process that is not root.',
  },
} as const;
