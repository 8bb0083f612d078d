import assert from 'node:assert/strict';
import test from 'node:test';
import { VirtualClock } from '../../../base/testing/virtual-clock.ts';
import type { RuntimeContainer } from '../../contract.ts';
import type { JournalState } from './journal.ts';
import { recover } from './recovery.ts';

const HERE = { boot: 'boot', folder: '/data' };
const CREATED: RuntimeContainer = {
	id: 'u_0_main_0',
	sandboxId: 'u_0',
	podUid: 'u',
	name: 'main',
	attempt: 0,
	image: 'i',
	imageRef: 'i',
	createdAt: 1,
	logPath: '/l',
	state: 'created',
};

/** The state of a container that was to be started when the launcher was killed. */
async function recovered(how: {
	readonly usesShim: boolean;
	readonly status?: RuntimeContainer;
	readonly boot?: string;
}): Promise<RuntimeContainer | undefined> {
	const status = how.status ?? CREATED;
	const journaled: JournalState = {
		boot: how.boot ?? HERE.boot,
		folder: HERE.folder,
		sandboxes: new Map(),
		containers: new Map([[status.id, status]]),
		processes: new Map(),
		runs: new Map(),
		damagedLines: 0,
	};
	const shim = how.usesShim ? { records: (all: Map<string, never>) => all } : undefined;
	const { state } = await recover(journaled, { here: HERE, shim, clock: new VirtualClock() });
	return state.containers.get(status.id);
}

test('a container that waited for its start when the launcher was killed is created again', async () => {
	assert.equal(await recovered({ usesShim: true }), undefined);
});

test('a container that may have run is lost', async () => {
	const running: RuntimeContainer = { ...CREATED, state: 'running', startedAt: 2 };
	const cases = [
		// A child of the launcher is started at once.
		{ usesShim: false },
		{ usesShim: true, status: running },
		{ usesShim: true, boot: 'another' },
	];
	for (const each of cases) {
		const end = await recovered(each);
		assert.equal(end?.state === 'exited' && end.reason, 'ContainerStatusUnknown', JSON.stringify(each));
	}
});
