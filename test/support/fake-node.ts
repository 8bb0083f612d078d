import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Clock } from '../../src/base/clock.ts';
import { Metrics } from '../../src/base/metrics.ts';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { Client } from '../../src/client/client.ts';
import { EventRecorder } from '../../src/client/event-recorder.ts';
import { NodeAgent } from '../../src/node/agent/agent.ts';
import { FakeRuntime } from '../../src/runtime/fake/fake-runtime.ts';
import type { ControlPlane } from './control-plane.ts';

/** A node agent to start, and the runtime that it uses. */
export interface FakeNode {
	readonly name: string;
	readonly clock: Clock;
	readonly runtime: FakeRuntime;
	readonly logFolder: string;
}

/** An agent with a fake runtime, on a machine of 4 cpus. Its errors become diagnostics of the test. */
export function fakeAgent(
	t: TestContext,
	{ transport }: ControlPlane,
	{ name, clock, runtime, logFolder }: FakeNode,
): NodeAgent {
	const client = new Client(transport);
	return new NodeAgent({
		client,
		clock,
		random: new SeededRandom(1),
		metrics: new Metrics(),
		recorder: new EventRecorder({ client, clock, component: 'kubelet', host: name }),
		runtime,
		machine: {
			...{ name, address: '127.0.0.1', cpus: 4, memoryBytes: 2 ** 33, diskBytes: 2 ** 33, maxPods: 110 },
			...{ platform: 'linux', architecture: 'x64', kernel: '6', osImage: 'test' },
			...{ machineId: 'm', bootId: 'b', inUserNamespace: false },
		},
		logFolder,
		version: 'test',
		onError: (key, error) => t.diagnostic(`${name} ${key}: ${error}`),
	});
}

/** Runs a node agent with a fake runtime until the end of the test. Resolves once the Node is registered. */
export async function runFakeNode(t: TestContext, plane: ControlPlane, clock: Clock): Promise<void> {
	const logFolder = mkdtempSync(join(tmpdir(), 'stint-node-'));
	const runtime = new FakeRuntime({ clock, random: new SeededRandom(1) });
	const agent = fakeAgent(t, plane, { name: 'a', clock, runtime, logFolder });
	const stop = new AbortController();
	const running = agent.run(stop.signal);
	t.after(async () => {
		stop.abort();
		await running;
		rmSync(logFolder, { recursive: true, force: true });
	});
	await agent.registered;
}
