/**
 * How the bytes of git-upload-pack travel: smart HTTP now, SSH later. One transport serves one repository. Every method
 * rejects with one of GIT_ERRORS, or with the reason of the signal.
 */
export interface GitTransport {
  /** For messages: the host, with the port when it is not the usual one. Never a credential. */
  readonly host: string;
  /** The server's greeting: its capabilities (protocol v2), or its refs and capabilities (v0). v2 is asked for. */
  discover(options: TransportCall): Promise<AsyncIterable<Uint8Array>>;
  /** One request to the service, and its answer as it comes in. */
  upload(body: string, options: TransportCall & { version: 0 | 2 }): Promise<AsyncIterable<Uint8Array>>;
}

export interface TransportCall {
  signal: AbortSignal;
  /** More bytes than this in the answer is GitLimitExceeded, with the name of the limit. */
  maxBytes: number;
  limit: string;
}
