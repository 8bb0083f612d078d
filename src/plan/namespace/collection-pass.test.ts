import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { type CollectionPass, collectionPass, nextLookMs } from './collection-pass.ts';

const DELETED = Date.UTC(2026, 0, 31, 8);
const PODS = { group: '', version: 'v1', resource: 'pods' };

function pod(graceSeconds?: number, phase = 'Running', finalizers: readonly string[] = []): KubeObject {
	const spec = graceSeconds === undefined ? {} : { terminationGracePeriodSeconds: graceSeconds };
	const shape = {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'p', finalizers },
		spec,
		status: { phase },
	};
	return shape as KubeObject;
}

function passAfter(
	seconds: number,
	before: readonly KubeObject[],
	after: readonly KubeObject[] = before,
): CollectionPass {
	const metadata = {
		name: 'team',
		deletionTimestamp: new Temporal.Instant(BigInt(DELETED) * 1_000_000n).toString(),
	};
	return collectionPass({
		resource: PODS,
		namespace: { metadata },
		before,
		after,
		now: DELETED + seconds * 1000,
	});
}

const OVERDUE = 'unexpected items still remain in namespace: team for gvr: /v1, Resource=pods';

test('while the longest grace period and five seconds run, remaining Pods are expected', () => {
	const pods = [pod(10), pod(30)];
	for (const [seconds, estimateSeconds] of [
		[0, 30],
		[12, 18],
		[30, 0],
		[34.9, 0],
	] as const) {
		const { overdue, ...pass } = passAfter(seconds, pods);
		assert.deepEqual(
			[overdue, pass.count, pass.estimateSeconds],
			[undefined, 2, estimateSeconds],
			`${seconds}`,
		);
	}
	assert.deepEqual([passAfter(35, pods).overdue, passAfter(35, pods).estimateSeconds], [OVERDUE, 15]);
});

test('Pods that have ended, and objects of other kinds, have no grace period', () => {
	assert.equal(passAfter(0, [pod(30, 'Succeeded')]).overdue, OVERDUE);
	const job = { ...pod(30), kind: 'Job', apiVersion: 'batch/v1' };
	assert.equal(passAfter(0, [job]).overdue, OVERDUE);
	assert.equal(passAfter(0, [pod()]).overdue, OVERDUE);
});

test('objects with finalizers are not overdue, and are counted for each finalizer', () => {
	const { finalizers, overdue, estimateSeconds } = passAfter(100, [
		pod(1, 'Running', ['a/b', 'c/d']),
		pod(1, 'Running', ['a/b']),
	]);
	assert.deepEqual(
		[...finalizers],
		[
			['a/b', 2],
			['c/d', 1],
		],
	);
	assert.deepEqual([overdue, estimateSeconds], [undefined, 15]);
});

test('only objects that remain after the deletion are counted', () => {
	const pass = passAfter(100, [pod(30), pod(30)], []);
	assert.deepEqual([pass.count, pass.overdue], [0, undefined]);
});

test('the controller looks again after half the longest estimate and a second', () => {
	assert.equal(nextLookMs([passAfter(0, [pod(30)]), passAfter(0, [pod(9)])]), 16_000);
	assert.equal(nextLookMs([passAfter(29.5, [pod(30)])]), 1000);
	assert.equal(nextLookMs([passAfter(0, [pod(30)], [])]), undefined);
});
