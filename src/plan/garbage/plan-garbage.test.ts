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

test('an object without owners, or with only existing owners, is kept', () => {
	assert.equal(plan({}, []).kind, 'keep');
	assert.equal(plan({}, ['present']).kind, 'keep');
});

test('an object whose owners are all gone is deleted in the background', () => {
	const { kind, ...rest } = plan({}, ['gone', 'gone']);
	assert.equal(kind, 'delete');
	assert.equal('propagation' in rest && rest.propagation, 'Background');
});

test('the propagation finalizer of an object decides how it is deleted', () => {
	const orphan = plan({ finalizers: ['orphan'] }, ['gone']);
	assert.equal(orphan.kind === 'delete' && orphan.propagation, 'Orphan');
	const foreground = plan({ finalizers: ['foregroundDeletion'] }, ['gone']);
	assert.equal(foreground.kind === 'delete' && foreground.propagation, 'Foreground');
});

test('an object with one existing owner only loses the references to the others', () => {
	const { kind, ...rest } = plan({}, ['gone', 'present', 'waiting']);
	assert.equal(kind, 'dropOwners');
	assert.deepEqual('uids' in rest && rest.uids, ['o0', 'o2']);
});

test('a dependent of a waiting owner that has dependents itself is deleted in the foreground', () => {
	const grandchild = thing({ name: 'grandchild' });
	const withDependents = plan({}, ['waiting'], [grandchild]);
	assert.equal(withDependents.kind === 'delete' && withDependents.propagation, 'Foreground');
	const without = plan({}, ['waiting']);
	assert.equal(without.kind === 'delete' && without.propagation, 'Background');
});

test('an object that is being deleted already is kept', () => {
	assert.equal(plan(deleted, ['gone']).kind, 'keep');
});

test('a foreground deletion waits for the blocking dependents, then its finalizer is removed', () => {
	const metadata = { ...deleted, finalizers: ['foregroundDeletion'] };
	const blocking = thing({ name: 'blocking', ownerReferences: [owner('me')] });
	const loose = thing({ name: 'loose', ownerReferences: [owner('me', false)] });
	const waiting = plan(metadata, [], [blocking, loose]);
	assert.deepEqual(waiting.kind === 'await' && waiting.dependents, [blocking]);
	assert.equal(plan(metadata, [], [loose]).kind, 'release');
});

test('an orphaning deletion removes the owner references of the dependents first', () => {
	const dependent = thing({ name: 'dependent', ownerReferences: [owner('me')] });
	const result = plan({ ...deleted, finalizers: ['orphan'] }, [], [dependent]);
	assert.deepEqual(result.kind === 'orphan' && result.dependents, [dependent]);
});

test('while the state of an owner is unknown, the object and its owner references are kept', () => {
	assert.equal(plan({}, ['unknown']).kind, 'keep');
	assert.equal(plan({}, ['gone', 'unknown', 'present']).kind, 'keep');
});

test('a dependent that waits itself is not queued again, but still blocks its owner', () => {
	const metadata = { ...deleted, finalizers: ['foregroundDeletion'] };
	const waiting = thing({ ...metadata, name: 'waiting', ownerReferences: [owner('me')] });
	const result = plan(metadata, [], [waiting]);
	assert.deepEqual(result.kind === 'await' && result.dependents, []);
});

test('in a cycle of owners, an object stops blocking the deletion of its owner', () => {
	const metadata = { ...deleted, finalizers: ['foregroundDeletion'] };
	const result = plan({}, ['waiting'], [thing({ ...metadata, name: 'o0', uid: 'o0' })]);
	assert.equal(result.kind === 'delete' && result.unblock, true);
	const straight = plan({}, ['waiting'], [thing({ name: 'grandchild' })]);
	assert.equal(straight.kind === 'delete' && straight.unblock, false);
});
