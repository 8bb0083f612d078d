import type { IsolationTrait, PodNetworkTrait } from '../../api/contract/runtime-traits.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import type { Node, NodeCondition } from '../../api/core/node/schema.ts';
import { gitVersionOf } from '../../api/kubernetes-version.ts';
import { findCondition, isConditionTrue, sinceTransition } from '../../api/meta/conditions.ts';
import { formatTime } from '../../api/meta/time.ts';
import { type ListedImage, nodeImagesOf } from './node-images.ts';

/** The facts about the machine that a Node's status and labels report. */
export interface Machine {
	readonly name: string;
	readonly address: string;
	readonly cpus: number;
	readonly memoryBytes: number;
	readonly diskBytes: number;
	readonly maxPods: number;
	/** Operating system and processor as Node.js names them: `linux`, `x64`. */
	readonly platform: string;
	readonly architecture: string;
	readonly kernel: string;
	readonly osImage: string;
	readonly machineId: string;
	readonly bootId: string;
	/** Whether this process is in a user namespace other than that of the machine. */
	readonly inUserNamespace: boolean;
}

/** Capacity of the machine as quantities. All of it is allocatable: nothing is reserved for the system. */
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

/** The labels that a Node registers with, as the kubelet sets them. */
export function nodeLabelsOf({ name, platform, architecture }: Machine): Readonly<Record<string, string>> {
	const arch = goArchitecture(architecture);
	return {
		'beta.kubernetes.io/arch': arch,
		'beta.kubernetes.io/os': platform,
		'kubernetes.io/arch': arch,
		'kubernetes.io/hostname': name,
		'kubernetes.io/os': platform,
	};
}

/** The name that Go, and therefore Kubernetes, has for a processor architecture of Node.js. */
function goArchitecture(architecture: string): string {
	return { x64: 'amd64', ia32: '386' }[architecture] ?? architecture;
}

/** The inputs of {@link nodeStatusOf}. */
export interface StatusInputs {
	readonly now: number;
	/** The Node as the API has it; undefined before it is created. */
	readonly before: Node | undefined;
	readonly runtimeVersion: string;
	/** Version of this program. */
	readonly version: string;
	/** The types of the conditions about pressure that are True. */
	readonly pressures: ReadonlySet<string>;
	/** Whose network Pods have; undefined: the runtime does not say. */
	readonly podNetwork?: PodNetworkTrait | undefined;
	/** How containers are isolated; undefined: the runtime does not say. */
	readonly isolation?: IsolationTrait | undefined;
	/** The images of the Node; undefined: those of before stay. */
	readonly images?: readonly ListedImage[] | undefined;
}

/** The status of a Node whose agent works. Fields and conditions that other components wrote are kept. */
export function nodeStatusOf(
	machine: Machine,
	{ now, before, runtimeVersion, version, pressures, images, podNetwork, isolation }: StatusInputs,
): Node['status'] {
	const resources = allocatableOf(machine);
	return {
		...before?.status,
		capacity: resources,
		allocatable: resources,
		...(images && { images: nodeImagesOf(images) }),
		conditions: conditionsOf({ now, before, pressures, podNetwork, isolation }),
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
			kubeletVersion: gitVersionOf(version),
			kubeProxyVersion: '',
			operatingSystem: machine.platform,
			architecture: goArchitecture(machine.architecture),
			runningInUserNamespace: machine.inUserNamespace,
		},
	};
}

/**
 * The conditions that the agent reports, with the kubelet's reasons and messages, since clients match them. */
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

/** The conditions about pressure while they are True, with the reasons of the kubelet's Events about the change. */
const PRESSURE: Readonly<
	Record<
		string,
		{ readonly reason: string; readonly message: string; readonly event: readonly [string, string] }
	>
> = {
	MemoryPressure: {
		reason: 'KubeletHasInsufficientMemory',
		message: 'kubelet has insufficient memory available',
		event: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
	},
	DiskPressure: {
		reason: 'KubeletHasDiskPressure',
		message: 'kubelet has disk pressure',
		event: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
	},
	PIDPressure: {
		reason: 'KubeletHasInsufficientPID',
		message: 'kubelet has insufficient PID available',
		event: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
	},
};

/** The Events about conditions of pressure that have changed. */
export function pressureEvents(
	name: string,
	{ before, pressures }: Pick<StatusInputs, 'before' | 'pressures'>,
): readonly EventText[] {
	return Object.entries(PRESSURE).flatMap(
		([
			type,
			{
				event: [begins, ends],
			},
		]) => {
			const was = isConditionTrue(before?.status.conditions, type);
			if (was === pressures.has(type)) return [];
			const reason = was ? ends : begins;
			return [{ type: 'Normal', reason, message: `Node ${name} status is now: ${reason}` }];
		},
	);
}

/**
 * The agent's own conditions, then those that other components set on the Node, unchanged. `lastTransitionTime`
 * changes only with the condition's status.
 */
function conditionsOf({
	now,
	before,
	pressures,
	podNetwork,
	isolation,
}: Pick<
	StatusInputs,
	'now' | 'before' | 'pressures' | 'podNetwork' | 'isolation'
>): readonly NodeCondition[] {
	const known = before?.status.conditions ?? [];
	const reported = [
		...CONDITIONS,
		...(podNetwork ? [networkCondition(podNetwork)] : []),
		...(isolation ? [isolationCondition(isolation)] : []),
	];
	const own = reported.map((condition) => {
		const pressure = pressures.has(condition.type) ? PRESSURE[condition.type] : undefined;
		const dated: NodeCondition = {
			...condition,
			...(pressure && { status: 'True', reason: pressure.reason, message: pressure.message }),
			lastHeartbeatTime: formatTime(now),
			lastTransitionTime: formatTime(now),
		};
		return sinceTransition(dated, findCondition(known, condition.type));
	});
	return [...own, ...known.filter(({ type }) => !own.some((condition) => condition.type === type))];
}

/** The condition that the provider of a network reports: here it says whose network Pods have. */
function networkCondition(network: PodNetworkTrait): (typeof CONDITIONS)[number] {
	const about = { type: 'NetworkUnavailable', status: 'False' } as const;
	if (network.kind === 'pod') {
		const limit = network.confined === undefined ? '' : `, and reach no other machine: ${network.confined}`;
		return { ...about, reason: 'PodNetwork', message: `Pods have networks of their own${limit}` };
	}
	const why = network.reason === undefined ? '' : `: ${network.reason}`;
	return { ...about, reason: 'HostNetwork', message: `Pods have the network of this machine${why}` };
}

/** The condition beyond upstream's: what keeps containers apart from the machine. Its reason is the level. */
const ISOLATED = 'ContainersIsolated';

const LEVELS: Readonly<
	Record<IsolationTrait['level'], Pick<NodeCondition, 'status' | 'reason' | 'message'>>
> = {
	root: {
		status: 'True',
		reason: 'Root',
		message: 'each container has views and rights of its own (level root)',
	},
	user: {
		status: 'True',
		reason: 'UserNamespaces',
		message: 'each container has views and rights of its own in a user namespace (level user)',
	},
	chroot: {
		status: 'False',
		reason: 'Chroot',
		message:
			'each container has a root file system of its own, and all else is that of this machine (level chroot)',
	},
	none: {
		status: 'False',
		reason: 'None',
		message: 'containers are plain processes of this machine (level none)',
	},
};

function isolationCondition({ level, reason }: IsolationTrait): (typeof CONDITIONS)[number] {
	const { message, ...rest } = LEVELS[level];
	return { type: ISOLATED, ...rest, message: `${message}${reason === undefined ? '' : `: ${reason}`}` };
}

/** The Event about containers that are not isolated, when the condition has begun to say so, or says another reason. */
export function isolationEvents(before: Node | undefined, now: Node): readonly EventText[] {
	const condition = findCondition(now.status.conditions, ISOLATED);
	if (condition?.status !== 'False' || condition.message === undefined) return [];
	if (findCondition(before?.status.conditions, ISOLATED)?.message === condition.message) return [];
	return [{ type: 'Warning', reason: 'ContainersNotIsolated', message: condition.message }];
}
