import assert from 'node:assert/strict';
import test from 'node:test';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { imageStepOf, isHostProgram } from './image.ts';

const HOST: RuntimeTraits = {
	...{ honours: new Set(), user: undefined, os: 'linux' },
	...{ runsHostPrograms: true, canExec: false, canResize: false },
};

test('a container with a command needs no image on a runtime of host programs, and one on every other', () => {
	const named = { name: 'c', command: ['true'] };
	assert.equal(isHostProgram(named, HOST), true);
	assert.equal(isHostProgram({ name: 'c' }, HOST), false);
	assert.equal(isHostProgram({ name: 'c', command: [] }, HOST), false);
	assert.equal(isHostProgram(named, { ...HOST, runsHostPrograms: false }), false);
});

test('the pull policy decides what is done about an image', () => {
	const step = (imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never', isPresent: boolean): string => {
		const { kind, event } = imageStepOf({ image: 'x', imagePullPolicy }, isPresent);
		return `${kind} ${event.reason}`;
	};
	assert.deepEqual(
		[step('Always', true), step('Always', false), step('IfNotPresent', true), step('IfNotPresent', false)],
		['pull Pulling', 'pull Pulling', 'use Pulled', 'pull Pulling'],
	);
	assert.deepEqual([step('Never', true), step('Never', false)], ['use Pulled', 'fail ErrImageNeverPull']);
});
