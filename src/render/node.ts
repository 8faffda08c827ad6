/** The tree of one document before its scalars are given a type. Lines are 1-based, in the file. */
export type Node = ScalarNode | SequenceNode | MappingNode | AliasNode;

export interface ScalarNode {
  kind: 'scalar';
  line: number;
  text: string;
  /** True for unquoted text without a tag: only there is the type read off the text. */
  plain: boolean;
  /** The resolved tag (`tag:yaml.org,2002:str`, `!local`), or undefined. */
  tag?: string;
}

/** Tags of collections change nothing for kubectl, so they are not kept. */
export interface SequenceNode {
  kind: 'sequence';
  line: number;
  items: Node[];
}

/** Pairs in the order of the file; a value that is left out is an empty plain scalar. */
export interface MappingNode {
  kind: 'mapping';
  line: number;
  keys: Node[];
  values: Node[];
}

export interface AliasNode {
  kind: 'alias';
  line: number;
  target: Node;
}

/** What a document means: JSON, with integers outside the safe range of a number as bigint. */
export type Value = null | boolean | number | bigint | string | Value[] | { [key: string]: Value };

export type ReadErrorCode = 'InvalidYaml' | 'InvalidJson' | 'TooDeep' | 'FileTooLarge';

/** A document that cannot be read. `line` is 1-based in the file. */
export class ReadError extends Error {
  readonly code: ReadErrorCode;
  readonly line: number;

  constructor(code: ReadErrorCode, line: number, message: string) {
    super(message);
    this.code = code;
    this.line = line;
  }
}

/** Deeper documents are refused; kubectl's own limit is 10,000, which no manifest comes near. */
export const MAX_DEPTH = 1000;

/** Values and keys of one YAML document or JSON file; the largest bundles of CRDs have about 200,000. */
export const MAX_NODES = 500_000;

export function isMap(value: unknown): value is { [key: string]: Value } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
