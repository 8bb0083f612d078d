import assert from 'node:assert/strict';
import test from 'node:test';
import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import {
	expandedPatch,
	expandedVolumePatch,
	expandingPatch,
	expansionSize,
	wantsExpansion,
} from './expansion.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const UNUSED = { type: 'Unused', status: 'True', lastTransitionTime: null, lastProbeTime: null };

function claim(wanted: string, status: object = {}, spec: object = {}): PersistentVolumeClaim {
	return {
		apiVersion: 'v1',
		kind: 'PersistentVolumeClaim',
		metadata: { name: 'c', namespace: 'ns', uid: 'u' },
		spec: { volumeName: 'v', resources: { requests: { storage: wanted } }, ...spec },
		status: { phase: 'Bound', capacity: { storage: '1Gi' }, conditions: [UNUSED], ...status },
	};
}

function volume(storage: string, uid = 'u'): PersistentVolume {
	return {
		apiVersion: 'v1',
		kind: 'PersistentVolume',
		metadata: { name: 'v' },
		spec: { capacity: { storage }, claimRef: { name: 'c', namespace: 'ns', uid } },
		status: {},
	};
}

test('only a bound claim that requests more than it has wants to grow', () => {
	assert.equal(wantsExpansion(claim('2Gi')), true);
	assert.equal(wantsExpansion(claim('1024Mi')), false);
	assert.equal(wantsExpansion(claim('2Gi', { phase: 'Pending' })), false);
	assert.equal(wantsExpansion(claim('2Gi', {}, { volumeName: '' })), false);
	assert.equal(expansionSize(claim('2Gi'), volume('1Gi')), '2Gi');
	assert.equal(expansionSize(claim('2Gi'), volume('1Gi', 'other')), undefined);
	assert.equal(expansionSize(claim('2Gi'), undefined), undefined);
});

test('an expansion that has begun is finished with its own size', () => {
	const begun = {
		allocatedResources: { storage: '2Gi' },
		allocatedResourceStatuses: { storage: 'ControllerResizeInProgress' },
	};
	assert.equal(expansionSize(claim('3Gi', begun), volume('1Gi')), '2Gi');
	assert.equal(expandingPatch(claim('3Gi', begun), '2Gi', NOW), undefined);
	const ended = { allocatedResources: { storage: '2Gi' }, capacity: { storage: '2Gi' } };
	assert.equal(expansionSize(claim('3Gi', ended), volume('2Gi')), '3Gi');
});

test('the statuses tell that the expansion begins, and that it has ended', () => {
	const lastTransitionTime = '2026-01-01T00:00:00Z';
	const before = claim('2Gi', { conditions: [UNUSED, { ...UNUSED, type: 'FileSystemResizePending' }] });
	assert.deepEqual(expandingPatch(before, '2Gi', NOW), {
		status: {
			conditions: [UNUSED, { type: 'Resizing', status: 'True', lastTransitionTime }],
			allocatedResources: { storage: '2Gi' },
			allocatedResourceStatuses: { storage: 'ControllerResizeInProgress' },
		},
	});
	const growing = claim('2Gi', { conditions: [UNUSED, { ...UNUSED, type: 'Resizing' }] });
	assert.deepEqual(expandedPatch(growing, '2Gi'), {
		status: {
			capacity: { storage: '2Gi' },
			conditions: [UNUSED],
			allocatedResourceStatuses: { storage: null },
		},
	});
	assert.deepEqual(expandedVolumePatch(volume('1Gi'), '2Gi'), { spec: { capacity: { storage: '2Gi' } } });
	assert.equal(expandedVolumePatch(volume('2Gi'), '2Gi'), undefined);
});
