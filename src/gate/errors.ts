/** Codes of the edge gate: code → what it means and how to mend it. Part of docs/reference/errors.md. */
export const EDGE_ERRORS = {
  EdgeBlocked: {
    meaning:
      'The commit would hurt the traffic of the edge, of this team or of another one. Nothing of it is applied and nothing is deleted; the last good revision goes on being enforced.',
    mend: 'Mend what status.edge.findings names with blocks: true, or have the platform team let the commit pass (overrides of the EdgePolicy). It is tried again whenever the edge changes.',
  },
  EdgeJudgementFailed: {
    meaning:
      'What the commit would do to the edge could not be worked out: the operator may not list what is there, it lacks memory or time, or it is a defect of Plumbline. Nothing of it is applied; the last good revision goes on being enforced.',
    mend: 'It is tried again. Give the operator the right that the message names. If it stays: see the log, give the operator more memory, or report it with the objects that bring it about.',
  },
  EdgeUnjudged: {
    meaning:
      'The source could not have the object when the gate judged it: it belonged to another source, or the ServiceAccount had no right to write it. It is not applied unjudged.',
    mend: 'Nothing: it is judged with the next attempt. If it stays: mend what keeps the newest commit from being applied.',
  },
  EdgeOrder: {
    meaning:
      'An object that is no longer in Git has to go before its successor comes, or traffic would be hurt meanwhile; it could not be deleted yet.',
    mend: 'Nothing: it is tried again. If it stays, see which finalizer or right keeps the object that the message names.',
  },
} as const;
