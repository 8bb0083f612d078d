import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SystemClock } from '../../../base/clock.ts';
import type { RuntimeContainer } from '../../contract.ts';
import { factsOf } from '../../engines/container-facts.ts';
import { containerConfig, sandboxConfig } from '../../testing/configs.ts';
import { logSettings } from '../logs/testing/log-settings.ts';
import { fakeEngine } from '../testing/fake-engine.ts';
import { TrackedContainer } from './tracked-container.ts';

const AT = '2026-01-31T08:00:00Z';

interface Killed {
	readonly container: TrackedContainer;
	/** Resolves once the engine has said so. */
	readonly asked: Promise<void>;
	/** Resolves to what was reported once the container has exited. */
	readonly exited: Promise<RuntimeContainer>;
}

/** A running container with a limit of memory, of which the engine says that it was killed. */
async function killed(t: TestContext): Promise<Killed> {
	const inspected = {
		Id: 'a',
		Created: AT,
		Config: {},
		State: { Status: 'exited', ExitCode: 137, StartedAt: AT, FinishedAt: AT, OOMKilled: false },
		HostConfig: { Memory: 1 << 24 },
	};
	const asked = Promise.withResolvers<void>();
	const { client, folder } = await fakeEngine(t, ({ url = '' }, response) => {
		const isAsked = url.endsWith('/json');
		response.end(isAsked ? JSON.stringify(inspected) : '');
		if (isAsked) response.once('finish', asked.resolve);
	});
	const config = containerConfig({ logPath: join(folder, 'log') });
	const exited = Promise.withResolvers<RuntimeContainer>();
	const container = new TrackedContainer(
		factsOf(config, sandboxConfig('a'), 'sha256:a'),
		{ ...inspected, State: { Status: 'running', StartedAt: AT } },
		{
			client,
			clock: new SystemClock(),
			logs: logSettings(client),
			noteOf: () => ({}),
			note: () => undefined,
			notify: (status) => status.state === 'exited' && exited.resolve(status),
		},
	);
	return { container, asked: asked.promise, exited: exited.promise };
}

async function reasonOf({ exited }: Killed): Promise<string | undefined> {
	const status = await exited;
	return status.state === 'exited' ? status.reason : undefined;
}

test('a container is OOMKilled if the engine reports that after the exit only', async (t) => {
	const given = await killed(t);
	const refreshed = given.container.refresh();
	await given.asked;
	given.container.noteOutOfMemory();
	await refreshed;
	assert.equal(await reasonOf(given), 'OOMKilled');
});

test('a container is not OOMKilled if the engine does not report it, or the runtime has killed it', async (t) => {
	const silent = await killed(t);
	await silent.container.refresh();
	assert.equal(await reasonOf(silent), 'Error');
	const stopped = await killed(t);
	stopped.container.noteKilled();
	stopped.container.noteOutOfMemory();
	await stopped.container.refresh();
	assert.equal(await reasonOf(stopped), 'Error');
});
