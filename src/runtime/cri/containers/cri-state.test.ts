import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTAINER } from '../client/cri-messages.ts';
import { type CriStatus, criStateOf } from './cri-state.ts';

const AT = 1_700_000_000_000;

function status(fields: Partial<CriStatus>): CriStatus {
	const times = { createdAt: AT * 1e6, startedAt: (AT + 1) * 1e6, finishedAt: (AT + 2) * 1e6 };
	return { id: 'x', state: CONTAINER.exited, ...times, exitCode: 0, reason: '', message: '', ...fields };
}

test('the state of a container follows from its status', () => {
	const ended = { state: 'exited', startedAt: AT + 1, finishedAt: AT + 2 };
	assert.deepEqual(criStateOf(status({ state: CONTAINER.created })), { state: 'created' });
	assert.deepEqual(criStateOf(status({ state: CONTAINER.running })), { state: 'running', startedAt: AT + 1 });
	assert.deepEqual(criStateOf(status({})), { ...ended, exitCode: 0, reason: 'Completed' });
	assert.deepEqual(criStateOf(status({ exitCode: 3 })), { ...ended, exitCode: 3, reason: 'Error' });
	assert.deepEqual(criStateOf(status({ exitCode: 137, reason: 'OOMKilled' })), {
		...ended,
		...{ exitCode: 137, reason: 'OOMKilled' },
	});
});

test('only a container that was never started has a StartError', () => {
	const never = criStateOf(
		status({ startedAt: 0, exitCode: 128, reason: 'StartError', message: 'no such file' }),
	);
	assert.deepEqual(never, {
		state: 'exited',
		...{ finishedAt: AT + 2, exitCode: 128, reason: 'StartError', message: 'no such file' },
	});
	const program = criStateOf(status({ exitCode: 128 }));
	assert.equal(program.state === 'exited' && program.reason, 'Error');
});

test('a container of which the runtime has lost the state has ended with 137', () => {
	const lost = criStateOf(status({ state: CONTAINER.unknown }));
	assert.ok(lost.state === 'exited' && lost.exitCode === 137 && lost.reason === 'ContainerStatusUnknown');
});
