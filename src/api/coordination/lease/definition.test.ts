import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { leases } from './definition.ts';
import { type Lease, leaseSchema } from './schema.ts';

function lease(spec: object, metadata: object = {}): Lease {
	const json = { metadata: { name: 'n', namespace: 'kube-node-lease', ...metadata }, spec };
	return leases.defaults(decode(leaseSchema, json).value);
}

function texts(errors: ReturnType<typeof leases.strategy.validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('validation refuses a Lease with a duration of 0 or negative transitions', () => {
	const { validateCreate, validateUpdate } = leases.strategy;
	assert.deepEqual(texts(validateCreate(lease({ holderIdentity: 'n', leaseDurationSeconds: 40 }))), []);
	const refused = [
		'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
		'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
	];
	const wrong = { leaseDurationSeconds: 0, leaseTransitions: -1 };
	assert.deepEqual(texts(validateCreate(lease(wrong))), refused);
	const known = { uid: 'u', resourceVersion: '1' };
	assert.deepEqual(texts(validateUpdate(lease(wrong, known), lease({}, known))), refused);
});

test('the times of a Lease keep their microseconds', () => {
	assert.equal(
		lease({ renewTime: '2026-01-31T08:00:00.1234567+01:00' }).spec.renewTime,
		'2026-01-31T07:00:00.123456Z',
	);
});

test('a write drops the fields of coordinated leader election, with a warning', () => {
	const given = lease({ holderIdentity: 'n', strategy: 'OldestEmulationVersion', preferredHolder: 'm' });
	assert.deepEqual(leases.strategy.prepareForCreate(given).spec, { holderIdentity: 'n' });
	const off =
		'it is left out: its feature, CoordinatedLeaderElection, is off: let the candidates elect the holder themselves: each tries to acquire the Lease';
	assert.deepEqual(leases.strategy.droppedFields?.(given, undefined), [
		`spec.strategy: ${off}`,
		`spec.preferredHolder: ${off}`,
	]);
	assert.deepEqual(leases.strategy.droppedFields?.(lease({ holderIdentity: 'n' }), undefined), []);
});

test('the printer columns of a Lease are those of kubectl', () => {
	const cells = leases.columns.map(({ cell }) => cell(lease({ holderIdentity: 'here' }), 0));
	assert.deepEqual(cells, ['n', 'here', '<unknown>']);
});
