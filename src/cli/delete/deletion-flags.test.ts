import assert from 'node:assert/strict';
import test from 'node:test';
import { CommandError } from '../context.ts';
import { type DeletionFlags, deletionOf, timeoutOf } from './deletion-flags.ts';

const of = (flags: Partial<DeletionFlags>) => deletionOf({ cascade: 'background', ...flags });

test('the flags give the delete options that kubectl sends', () => {
	assert.deepEqual(of({}), { propagationPolicy: 'Background' });
	assert.deepEqual(of({ cascade: 'foreground' }), { propagationPolicy: 'Foreground' });
	assert.deepEqual(of({ cascade: 'false' }), { propagationPolicy: 'Orphan' });
	assert.deepEqual(of({ now: true }), { propagationPolicy: 'Background', gracePeriodSeconds: 1 });
	assert.deepEqual(of({ gracePeriod: '0' }), { propagationPolicy: 'Background', gracePeriodSeconds: 1 });
	assert.deepEqual(of({ gracePeriod: '-1' }), { propagationPolicy: 'Background' });
	assert.deepEqual(of({ gracePeriod: '7' }), { propagationPolicy: 'Background', gracePeriodSeconds: 7 });
	assert.deepEqual(of({ force: true }), { propagationPolicy: 'Background', gracePeriodSeconds: 0 });
});

test('contradicting and invalid flags are rejected', () => {
	for (const flags of [
		{ cascade: 'sideways' },
		{ gracePeriod: 'soon' },
		{ now: true, gracePeriod: '3' },
		{ force: true, gracePeriod: '3' },
	]) {
		assert.throws(() => of(flags), CommandError);
	}
});

test('--timeout is a duration, and without it the command waits without a limit', () => {
	assert.equal(timeoutOf({ timeout: '1m30s' }, 'delete'), 90_000);
	assert.equal(timeoutOf({}, 'delete'), undefined);
	for (const timeout of ['0', '0s']) assert.equal(timeoutOf({ timeout }, 'delete'), undefined);
	const text = `invalid argument "soon" for "--timeout" flag: time: invalid duration "soon"\nSee 'stint delete --help' for usage.`;
	assert.throws(() => timeoutOf({ timeout: 'soon' }, 'delete'), new CommandError(text));
});
