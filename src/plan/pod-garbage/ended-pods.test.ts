import assert from 'node:assert/strict';
import test from 'node:test';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { endedPodOf, endedPodsBeyond } from './ended-pods.ts';

function makePod(name: string, second: number, phase: string, reason = ''): Pod {
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name, creationTimestamp: `2026-01-31T08:00:0${second}Z` },
		spec: { containers: [] },
		status: { phase, reason },
	} as unknown as Pod;
}

test('above the limit, evicted Pods are deleted first, then the oldest, then by name', () => {
	const pods = [
		makePod('runs', 0, 'Running'),
		makePod('waits', 0, 'Pending'),
		makePod('lost', 0, 'Unknown'),
		makePod('young', 9, 'Succeeded'),
		makePod('b', 1, 'Failed'),
		makePod('a', 1, 'Succeeded'),
		makePod('evicted', 9, 'Failed', 'Evicted'),
	];
	const ended = pods.filter(hasEnded).map(endedPodOf);
	const beyond = (limit: number): readonly string[] => endedPodsBeyond(limit, ended).map(({ name }) => name);
	assert.deepEqual(beyond(4), []);
	assert.deepEqual(beyond(3), ['evicted']);
	assert.deepEqual(beyond(0), ['evicted', 'a', 'b', 'young']);
});
