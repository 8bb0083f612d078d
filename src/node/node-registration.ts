import { nodes } from '../api/core/node/definition.ts';
import type { Node, NodeCondition } from '../api/core/node/schema.ts';
import { isApiError } from '../api/meta/api-error.ts';
import { formatTime } from '../api/meta/time.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Client } from '../client/client.ts';

/** What is to be known of the machine behind a Node. */
export interface Machine {
	readonly name: string;
	readonly address: string;
	readonly cpus: number;
	readonly memoryBytes: number;
	readonly diskBytes: number;
	readonly maxPods: number;
	/** As Node.js names it: linux, x64. */
	readonly platform: string;
	readonly architecture: string;
	readonly kernel: string;
	readonly osImage: string;
	readonly machineId: string;
	readonly bootId: string;
}

/** How often a Node says that it is well when nothing else has changed. */
const HEARTBEAT_MS = 5 * 60_000;
const RETRY_MS = 1000;

/** What is needed to register a Node. */
export interface NodeRegistrationOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly machine: Machine;
	readonly runtimeVersion: string;
	/** Version of this program, as the Node shows it. */
	readonly version: string;
	/** Told each time the API server has heard of the Node. */
	readonly onRegistered: () => void;
	readonly onError: (error: unknown) => void;
}

/** What Pods may ask of the machine. */
export function allocatableOf({
	cpus,
	memoryBytes,
	diskBytes,
	maxPods,
}: Machine): Readonly<Record<string, string>> {
	return {
		cpu: String(cpus),
		memory: `${Math.floor(memoryBytes / 1024)}Ki`,
		'ephemeral-storage': `${Math.floor(diskBytes / 1024)}Ki`,
		pods: String(maxPods),
	};
}

/** Creates the Node or brings its status up to date, and then says regularly that it is well. */
export async function keepRegistered(options: NodeRegistrationOptions, signal: AbortSignal): Promise<void> {
	while (!signal.aborted) {
		try {
			await register(options);
			options.onRegistered();
			await sleep(options.clock, HEARTBEAT_MS, signal);
		} catch (error) {
			options.onError(error);
			await sleep(options.clock, RETRY_MS, signal);
		}
	}
}

async function register({
	client,
	clock,
	machine,
	runtimeVersion,
	version,
}: NodeRegistrationOptions): Promise<void> {
	const target = client.resource(nodes);
	const known = await target.get(machine.name).catch((error: unknown) => {
		if (isApiError(error, 'NotFound')) return undefined;
		throw error;
	});
	const status = statusOf(machine, { now: clock.now(), before: known, runtimeVersion, version });
	if (known) {
		await target.update({ ...known, status }, 'status');
		return;
	}
	const labels = labelsOf(machine);
	await target.create({
		apiVersion: 'v1',
		kind: 'Node',
		metadata: { name: machine.name, labels },
		spec: {},
		status,
	});
}

function labelsOf({ name, platform, architecture }: Machine): Readonly<Record<string, string>> {
	const arch = goArchitecture(architecture);
	return {
		'beta.kubernetes.io/arch': arch,
		'beta.kubernetes.io/os': platform,
		'kubernetes.io/arch': arch,
		'kubernetes.io/hostname': name,
		'kubernetes.io/os': platform,
	};
}

function goArchitecture(architecture: string): string {
	return { x64: 'amd64', ia32: '386' }[architecture] ?? architecture;
}

interface StatusInputs {
	readonly now: number;
	readonly before: Node | undefined;
	readonly runtimeVersion: string;
	readonly version: string;
}

function statusOf(machine: Machine, { now, before, runtimeVersion, version }: StatusInputs): Node['status'] {
	const resources = allocatableOf(machine);
	return {
		...before?.status,
		capacity: resources,
		allocatable: resources,
		conditions: conditionsOf(now, before),
		addresses: [
			{ type: 'InternalIP', address: machine.address },
			{ type: 'Hostname', address: machine.name },
		],
		nodeInfo: {
			machineID: machine.machineId,
			systemUUID: machine.machineId,
			bootID: machine.bootId,
			kernelVersion: machine.kernel,
			osImage: machine.osImage,
			containerRuntimeVersion: runtimeVersion,
			kubeletVersion: version,
			kubeProxyVersion: '',
			operatingSystem: machine.platform,
			architecture: goArchitecture(machine.architecture),
		},
	};
}

const CONDITIONS: readonly Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>[] = [
	{
		type: 'MemoryPressure',
		status: 'False',
		reason: 'KubeletHasSufficientMemory',
		message: 'kubelet has sufficient memory available',
	},
	{
		type: 'DiskPressure',
		status: 'False',
		reason: 'KubeletHasNoDiskPressure',
		message: 'kubelet has no disk pressure',
	},
	{
		type: 'PIDPressure',
		status: 'False',
		reason: 'KubeletHasSufficientPID',
		message: 'kubelet has sufficient PID available',
	},
	{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
];

function conditionsOf(now: number, before: Node | undefined): readonly NodeCondition[] {
	return CONDITIONS.map((condition) => {
		const known = before?.status.conditions?.find(({ type }) => type === condition.type);
		const since = known?.status === condition.status ? known.lastTransitionTime : undefined;
		return { ...condition, lastHeartbeatTime: formatTime(now), lastTransitionTime: since ?? formatTime(now) };
	});
}
