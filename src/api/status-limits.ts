/**
 * Caps of the status. The writer keeps to them before it writes, because the API server refuses the whole status
 * otherwise. `bytes` is the limit of everything together, in JSON. Apart from the schemas: the gate's thread starts without them.
 */
export const STATUS_LIMITS = {
  bytes: 65_536,
  /** One shown value; a longer one becomes its hash and length. */
  valueBytes: 256,
  message: 1024,
  conditionMessage: 4096,
  driftObjects: 20,
  driftFields: 10,
  foreignObjects: 10,
  ignoredObjects: 10,
  failures: 30,
  ignoredFiles: 20,
  healthReasons: 10,
  history: 5,
  edgeFindings: 20,
  edgeSetbacks: 20,
  pendingObjects: 20,
  pendingFindings: 5,
  inventoryKinds: 1000,
} as const;
