/** Every problem that rendering reports: what it means and how to mend it. docs/reference/errors.md is made from it. */
export const RENDER_ERRORS = {
  InvalidYaml: {
    meaning: 'The file is not YAML as kubectl reads it.',
    mend: 'Correct the named line; `kubectl apply --dry-run=client -f FILE` shows the same complaint.',
  },
  InvalidJson: {
    meaning: 'The file starts with `{`, so it is read as JSON like kubectl does, and it is not valid JSON.',
    mend: 'Correct the named line. To write YAML flow style, start the file with a comment or `---`.',
  },
  InvalidEncoding: {
    meaning: 'The file is neither UTF-8 text nor UTF-16 with a byte order mark.',
    mend: 'Save the file as UTF-8, or exclude it.',
  },
  DuplicateKey: {
    meaning:
      'A mapping holds the same key twice. kubectl would silently take the last one; Plumbline refuses to guess.',
    mend: 'Remove one of the two.',
  },
  FileTooLarge: {
    meaning: 'A manifest file is larger than the limit, or holds more documents or objects than the limit.',
    mend: 'Split the file, or exclude it if it is not a manifest.',
  },
  TooMuch: {
    meaning: 'The manifests of one source together are larger than the limit.',
    mend: 'Divide the folder among several sources, or exclude what is not a manifest.',
  },
  TooDeep: {
    meaning: 'A document is nested deeper than the limit.',
    mend: 'Flatten the document.',
  },
  LfsPointer: {
    meaning: 'The file is a Git LFS pointer: its content is not in the repository.',
    mend: 'Store the manifest in Git itself (`git lfs untrack`, then commit it again), or exclude it.',
  },
  SopsNotSupported: {
    meaning: 'The file is encrypted by SOPS; decryption is not supported yet.',
    mend: 'Exclude the file and bring the Secret into the cluster another way.',
  },
  KustomizeNotSupported: {
    meaning: 'The folder is a kustomization; kustomize is not supported yet.',
    mend: 'Point `path` at plain manifests, or exclude the folder.',
  },
  HelmNotSupported: {
    meaning: 'The folder is a Helm chart; Helm is not supported yet.',
    mend: 'Point `path` at plain manifests, or exclude the folder.',
  },
  UnreadableFile: {
    meaning: 'A selected path cannot be read from the repository (for example a submodule or a missing blob).',
    mend: 'Replace it by a real file, or exclude it.',
  },
  InvalidPattern: {
    meaning: 'A pattern of include, exclude or .plumblineignore is too long, too many, or has too many alternatives.',
    mend: 'Use fewer and simpler patterns.',
  },
  InvalidObject: {
    meaning: 'A document is not a Kubernetes object: apiVersion, kind or metadata.name is missing or no text.',
    mend: 'Add what the message names, or move the document to a file of another kind.',
  },
  InvalidMetadata: {
    meaning: 'Labels, annotations or the namespace of an object have a form that the API server refuses.',
    mend: 'Quote the value: labels and annotations are text.',
  },
  InvalidName: {
    meaning: 'A name, namespace, kind or apiVersion could not be part of a request path.',
    mend: 'Use letters, digits, `-`, `.` and `:`.',
  },
  InvalidAnnotation: {
    meaning:
      'An annotation plumbline.dev/… is none that Plumbline knows, or holds a value that it does not know; or it is written as a label.',
    mend: 'Use one of those that the message lists.',
  },
  DuplicateObject: {
    meaning: 'Two documents declare the same object (group, kind, namespace and name).',
    mend: 'Remove one of the two.',
  },
} as const;
