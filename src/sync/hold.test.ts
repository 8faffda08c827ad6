import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdOf } from './hold.ts';

const commit = 'a'.repeat(40);
const revision = `main@sha1:${commit}`;
const other = `main@sha1:${'b'.repeat(40)}`;
const open = { open: true, until: Infinity, atLeast: false };
const closed = { open: false, until: 1_000, atLeast: false };

const CASES = [
  { title: 'Auto, open', sync: 'Auto', opening: open, reason: undefined },
  { title: 'Auto, closed', sync: 'Auto', opening: closed, reason: 'WaitingForWindow' },
  {
    title: 'Auto, closed, an approval opens no window',
    sync: 'Auto',
    approved: commit,
    opening: closed,
    reason: 'WaitingForWindow',
  },
  { title: 'Auto, closed, now', sync: 'Auto', syncNow: commit, opening: closed, reason: undefined },
  { title: 'Auto, closed, now by the revision', sync: 'Auto', syncNow: revision, opening: closed, reason: undefined },
  { title: 'Auto, closed, another one now', sync: 'Auto', syncNow: other, opening: closed, reason: 'WaitingForWindow' },
  {
    title: 'Auto, closed, a beginning of the id',
    sync: 'Auto',
    syncNow: commit.slice(0, 12),
    opening: closed,
    reason: 'WaitingForWindow',
  },
  { title: 'Manual', sync: 'Manual', opening: open, reason: 'WaitingForApproval' },
  { title: 'Manual, approved', sync: 'Manual', approved: commit, opening: open, reason: undefined },
  { title: 'Manual, approved by the revision', sync: 'Manual', approved: revision, opening: open, reason: undefined },
  {
    title: 'Manual, another one approved',
    sync: 'Manual',
    approved: other,
    opening: open,
    reason: 'WaitingForApproval',
  },
  { title: 'Manual, approved by nothing', sync: 'Manual', approved: '', opening: open, reason: 'WaitingForApproval' },
  { title: 'Manual, closed', sync: 'Manual', opening: closed, reason: 'WaitingForApproval' },
  { title: 'Manual, approved, closed', sync: 'Manual', approved: commit, opening: closed, reason: 'WaitingForWindow' },
  {
    title: 'Manual, closed, now is no approval',
    sync: 'Manual',
    syncNow: commit,
    opening: closed,
    reason: 'WaitingForApproval',
  },
  {
    title: 'Manual, approved and now',
    sync: 'Manual',
    approved: commit,
    syncNow: commit,
    opening: closed,
    reason: undefined,
  },
] as const;

for (const { title, reason, ...rest } of CASES) {
  test(title, () => {
    const {
      approved,
      syncNow,
      ...given
    }: { approved?: string; syncNow?: string } & Pick<typeof rest, 'sync' | 'opening'> = rest;
    assert.equal(holdOf({ revision, approved, syncNow, ...given })?.reason, reason);
  });
}
