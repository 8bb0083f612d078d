import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod, PodStatus } from '../../../api/core/pod/schema.ts';
import { compareForRemoval } from './removal-order.ts';

function pod(name: string, nodeName: string | undefined, creationTimestamp: string, status: PodStatus): Pod {
	const spec = { containers: [], ...(nodeName && { nodeName }) };
	return { apiVersion: 'v1', kind: 'Pod', metadata: { name, creationTimestamp }, spec, status };
}

function ready(since: string): PodStatus {
	return { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: since }] };
}

function restarted(restartCount: number): PodStatus {
	const container = { name: 'c', ready: true, restartCount, image: '', imageID: '' };
	return { ...ready('2026-01-01T00:00:00Z'), containerStatuses: [container] };
}

test('the active Pod that has progressed less is removed first', () => {
	const expected = [
		pod('unassigned', undefined, '2025-01-01T00:00:00Z', { phase: 'Running' }),
		pod('pending', 'n', '2025-01-01T00:00:00Z', { phase: 'Pending' }),
		pod('unknown', 'n', '2025-01-01T00:00:00Z', { phase: 'Unknown' }),
		pod('not-ready', 'n', '2025-01-01T00:00:00Z', { phase: 'Running' }),
		pod('ready-since-later', 'n', '2025-01-01T00:00:00Z', ready('2026-01-02T00:00:00Z')),
		pod('restarted-often', 'n', '2025-01-01T00:00:00Z', restarted(5)),
		pod('restarted-once', 'n', '2025-01-01T00:00:00Z', restarted(1)),
		pod('newer', 'n', '2025-01-02T00:00:00Z', restarted(0)),
		pod('older', 'n', '2025-01-01T00:00:00Z', restarted(0)),
	];
	for (let turn = 0; turn < expected.length; turn++) {
		const shuffled = [...expected.slice(turn), ...expected.slice(0, turn)].reverse();
		const order = shuffled.sort(compareForRemoval).map(({ metadata }) => metadata.name);
		assert.deepEqual(
			order,
			expected.map(({ metadata }) => metadata.name),
		);
	}
});
