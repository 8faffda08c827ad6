/** Which object an error is about; the printable form is `Kind namespace/name`. */
export interface ObjectReference {
  group?: string;
  kind: string;
  namespace?: string;
  name: string;
}

export interface ErrorDetails {
  cause?: unknown;
  object?: ObjectReference;
  /** Path in the repository, and the 1-based line. */
  file?: string;
  line?: number;
}

/**
 * The base of every error we raise on purpose. `code` is PascalCase, stable, documented in docs/reference/errors.md, and
 * doubles as the reason of a condition. The message is written for the person who must act and never holds a secret, a
 * credential or a response body.
 */
export class PlumblineError extends Error {
  readonly code: string;
  readonly object?: ObjectReference;
  readonly file?: string;
  readonly line?: number;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'PlumblineError';
    this.code = code;
    if (details.object) this.object = details.object;
    if (details.file !== undefined) this.file = details.file;
    if (details.line !== undefined) this.line = details.line;
  }
}

/** An error that trying again cannot cure: only an edit of the source (or of Git) can. Makes a source Stalled. */
export class TerminalError extends PlumblineError {
  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
    this.name = 'TerminalError';
  }
}
