import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject, ObjectMeta, OwnerReference } from '../../api/meta/object-meta.ts';
import { type OwnerState, planGarbage } from './plan-garbage.ts';

function thing(metadata: ObjectMeta): KubeObject {
	return { apiVersion: 'v1', kind: 'Pod', metadata };
}

function owner(uid: string, blockOwnerDeletion = true): OwnerReference {
	return { apiVersion: 'batch/v1', kind: 'Job', name: uid, uid, controller: true, blockOwnerDeletion };
}

function plan(metadata: ObjectMeta, states: readonly OwnerState[], dependents: readonly KubeObject[] = []) {
	const owners = states.map((state, i) => ({ reference: owner(`o${i}`), state }));
	return planGarbage({ object: thing({ uid: 'me', ...metadata }), owners, dependents });
}

const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z' };

test('an object stays while it has no owner, or all of its owners', () => {
	assert.equal(plan({}, []).kind, 'keep');
	assert.equal(plan({}, ['present']).kind, 'keep');
});

test('an object whose owners are all gone is deleted in the background', () => {
	const { kind, ...rest } = plan({}, ['gone', 'gone']);
	assert.equal(kind, 'delete');
	assert.equal('propagation' in rest && rest.propagation, 'Background');
});

test('its own propagation finalizers decide how it is deleted', () => {
	const orphan = plan({ finalizers: ['orphan'] }, ['gone']);
	assert.equal(orphan.kind === 'delete' && orphan.propagation, 'Orphan');
	const foreground = plan({ finalizers: ['foregroundDeletion'] }, ['gone']);
	assert.equal(foreground.kind === 'delete' && foreground.propagation, 'Foreground');
});

test('an object with one owner left only loses the references to the others', () => {
	const { kind, ...rest } = plan({}, ['gone', 'present', 'waiting']);
	assert.equal(kind, 'dropOwners');
	assert.deepEqual('uids' in rest && rest.uids, ['o0', 'o2']);
});

test('an owner that waits takes the dependents of its dependent in the foreground', () => {
	const grandchild = thing({ name: 'grandchild' });
	const withDependents = plan({}, ['waiting'], [grandchild]);
	assert.equal(withDependents.kind === 'delete' && withDependents.propagation, 'Foreground');
	const without = plan({}, ['waiting']);
	assert.equal(without.kind === 'delete' && without.propagation, 'Background');
});

test('what is being deleted already is left alone', () => {
	assert.equal(plan(deleted, ['gone']).kind, 'keep');
});

test('a foreground deletion waits for the dependents that block it and then lets go', () => {
	const metadata = { ...deleted, finalizers: ['foregroundDeletion'] };
	const blocking = thing({ name: 'blocking', ownerReferences: [owner('me')] });
	const loose = thing({ name: 'loose', ownerReferences: [owner('me', false)] });
	const waiting = plan(metadata, [], [blocking, loose]);
	assert.deepEqual(waiting.kind === 'await' && waiting.dependents, [blocking]);
	assert.equal(plan(metadata, [], [loose]).kind, 'release');
});

test('a deletion with orphans disowns the dependents first', () => {
	const dependent = thing({ name: 'dependent', ownerReferences: [owner('me')] });
	const result = plan({ ...deleted, finalizers: ['orphan'] }, [], [dependent]);
	assert.deepEqual(result.kind === 'orphan' && result.dependents, [dependent]);
});

test('while nothing is known of an owner, the object and its other references stay', () => {
	assert.equal(plan({}, ['unknown']).kind, 'keep');
	assert.equal(plan({}, ['gone', 'unknown', 'present']).kind, 'keep');
});

test('what waits itself is not looked at again, but blocks its owner still', () => {
	const metadata = { ...deleted, finalizers: ['foregroundDeletion'] };
	const waiting = thing({ ...metadata, name: 'waiting', ownerReferences: [owner('me')] });
	const result = plan(metadata, [], [waiting]);
	assert.deepEqual(result.kind === 'await' && result.dependents, []);
});

test('an object that its owner waits for, and that would wait for its owner, holds it up no longer', () => {
	const metadata = { ...deleted, finalizers: ['foregroundDeletion'] };
	const result = plan({}, ['waiting'], [thing({ ...metadata, name: 'o0', uid: 'o0' })]);
	assert.equal(result.kind === 'delete' && result.unblock, true);
	const straight = plan({}, ['waiting'], [thing({ name: 'grandchild' })]);
	assert.equal(straight.kind === 'delete' && straight.unblock, false);
});
