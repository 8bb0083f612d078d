/** A node agent with a fake runtime and a whole control plane, for the tests of this folder. */

import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ContainerConfig } from '../../src/api/contract/container-config.ts';
import type { RuntimeTraits } from '../../src/api/contract/runtime-traits.ts';
import type { ApiTransport } from '../../src/api/contract/transport.ts';
import { events } from '../../src/api/core/event/definition.ts';
import type { Event } from '../../src/api/core/event/schema.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { type Clock, SystemClock } from '../../src/base/clock.ts';
import { Metrics } from '../../src/base/metrics.ts';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { Client } from '../../src/client/client.ts';
import { EventRecorder } from '../../src/client/event-recorder.ts';
import { NodeAgent, type NodeAgentOptions } from '../../src/node/agent/agent.ts';
import type { ImageError, RuntimeImages } from '../../src/runtime/contract.ts';
import { type FakeProgram, programByCommand } from '../../src/runtime/fake/fake-program.ts';
import { FakeRuntime, type FakeRuntimeOptions } from '../../src/runtime/fake/fake-runtime.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';

const machine = {
	...{ name: 'here', address: '127.0.0.1', cpus: 4, memoryBytes: 2 ** 33, diskBytes: 2 ** 33, maxPods: 110 },
	...{ platform: 'linux', architecture: 'x64', kernel: '6', osImage: 'test', machineId: 'm', bootId: 'b' },
	inUserNamespace: false,
};

/** What {@link startNode} starts. */
export interface TestNode {
	readonly plane: ControlPlane;
	readonly runtime: FakeRuntime;
	/** The folder of the containers' logs. At first it has the logs of a Pod that does not exist. */
	readonly logFolder: string;
	/** Stops the agent; the runtime and its containers keep running. */
	stopAgent(): Promise<void>;
	/** Starts another agent process; resolves once it has registered its Node. */
	startAgent(): Promise<void>;
}

/** How a test's node differs from the default. */
export interface NodeOptions {
	/** Wraps the agent's transport to the API server. */
	through?(transport: ApiTransport): ApiTransport;
	imageError?(image: string): ImageError | undefined;
	readonly traits?: RuntimeTraits;
	readonly volumes?: NodeAgentOptions['volumes'];
	/** The behaviour of commands in containers. */
	readonly exec?: FakeRuntimeOptions['exec'];
	/** The images of the runtime. Default: it manages none. */
	readonly images?: RuntimeImages;
	/** Why containers cannot be resized. */
	readonly resizeError?: FakeRuntimeOptions['resizeError'];
	/** Called with the configuration of each container that the runtime creates. */
	created?(config: ContainerConfig): void;
	/** Called with each agent before it runs. */
	made?(agent: NodeAgent): void;
	/** Default: the system's clock. */
	readonly clock?: Clock;
}

/** Starts a control plane, a runtime and an agent; they stop at the end of the test. */
export async function startNode(
	t: TestContext,
	{
		through,
		imageError,
		traits,
		volumes,
		created,
		exec,
		resizeError,
		images,
		made,
		clock = new SystemClock({ keepsAlive: true }),
	}: NodeOptions = {},
): Promise<TestNode> {
	const plane = await startControlPlane(t, clock);
	const runtime = new FakeRuntime({
		...{ clock, random: new SeededRandom(1) },
		program: (config) => {
			created?.(config);
			return program(config);
		},
		...(imageError && { imageError }),
		...(images && { images }),
		...(exec && { exec }),
		...(resizeError && { resizeError }),
		...(traits && { traits }),
		appendLog: (path, lines) => {
			mkdirSync(dirname(path), { recursive: true });
			appendFileSync(path, lines);
		},
	});
	await runtime.start();
	const logFolder = mkdtempSync(join(tmpdir(), 'stint-agent-'));
	const leftOver = join(logFolder, 'default_left-over_00000000-0000-4000-8000-000000000000');
	mkdirSync(leftOver);
	const client = new Client(through?.(plane.transport) ?? plane.transport);
	let stop = new AbortController();
	let running: Promise<void> = Promise.resolve();
	const startAgent = async (): Promise<void> => {
		stop = new AbortController();
		const recorder = new EventRecorder({ client, clock, component: 'kubelet', host: 'here' });
		const onError = (key: string, error: unknown): void => t.diagnostic(`${key}: ${error}`);
		const agent = new NodeAgent({
			client,
			clock,
			random: new SeededRandom(1),
			metrics: new Metrics(),
			recorder,
			runtime,
			machine,
			logFolder,
			...(volumes && { volumes }),
			version: 'test',
			onError,
		});
		made?.(agent);
		running = agent.run(stop.signal);
		await agent.registered;
	};
	const stopAgent = async (): Promise<void> => {
		stop.abort();
		await running;
	};
	await startAgent();
	t.after(async () => {
		await stopAgent();
		await runtime.stop({ killAll: true });
		rmSync(logFolder, { recursive: true, force: true });
	});
	return { plane, runtime, logFolder, stopAgent, startAgent };
}

/**
 * The default programs, and three more: `watch N` exits with 42 after N seconds, `complain` writes output and
 * fails, and so does `explain TEXT`, which writes the text as its termination message as well.
 */
function program(config: ContainerConfig): FakeProgram {
	const [name, seconds] = config.command;
	if (name === 'explain') return { stdout: 'logged\n', terminationMessage: seconds ?? '', exitCode: 4 };
	if (name === 'complain') return { stdout: 'before\n', stderr: 'why\n', exitCode: 4 };
	return name === 'watch' ? { runMs: Number(seconds) * 1000, exitCode: 42 } : programByCommand(config);
}

/** A Pod with one container `main` that runs this command. `more` is added to the metadata. */
export function pod(name: string, command: readonly string[], more: object = {}): Pod {
	const containers = [{ name: 'main', image: 'busybox', command }];
	const spec = { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers };
	return { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...more }, spec } as unknown as Pod;
}

/** A predicate: whether the Pod is in this phase. */
export const inPhase = (phase: string) => (object: Pod | undefined) => object?.status.phase === phase;

/** Resolves to the first Event with this reason about the object with this name, once it exists. */
export async function eventAbout({ plane }: TestNode, name: string, reason: string): Promise<Event> {
	const holds = (event: Event): boolean => event.involvedObject.name === name && event.reason === reason;
	const target = plane.client.resource(events, 'default');
	const { items, metadata } = await target.list();
	const known = items.find(holds);
	if (known) return known;
	const found = Promise.withResolvers<Event>();
	const watch = await target.watch(
		{ resourceVersion: metadata.resourceVersion },
		{
			events: (batch) => {
				for (const { type, object } of batch) if (type !== 'BOOKMARK' && holds(object)) found.resolve(object);
			},
			ended: (error) => found.reject(error ?? new Error('the watch ended')),
		},
	);
	return found.promise.finally(() => watch.stop());
}
