import {
  claimForeignRoute,
  createSources,
  pushBrokenYaml,
  pushRefusedObject,
  pushRelease,
  removeFile,
  revert,
} from './git-steps.ts';
import { deleteObject, editDeployment, editMapping } from './hand-steps.ts';
import type { Step } from './stage.ts';

/** The story, in order: each step starts from where the one before it ended. */
export const STORY: readonly Step[] = [
  { title: 'Three sources are created: the platform, team checkout and team catalog', play: createSources },
  { title: 'Team checkout pushes: a new release, and its canary goes from 10 % to 25 %', play: pushRelease },
  { title: 'Somebody edits a Deployment by hand: 9 replicas, another image', play: editDeployment },
  { title: 'A script sends all traffic to the canary: it edits a Mapping', play: editMapping },
  { title: 'Team checkout pushes YAML that cannot be read', play: pushBrokenYaml },
  { title: 'Team catalog pushes a Service that the API server refuses', play: pushRefusedObject },
  { title: 'Both commits are reverted', play: revert },
  { title: 'Team catalog claims a route that team checkout has', play: claimForeignRoute },
  { title: 'Somebody deletes a ConfigMap', play: deleteObject },
  { title: 'Team catalog ends its sale: the file is removed from Git', play: removeFile },
];
