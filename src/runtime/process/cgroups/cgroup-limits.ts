import type { ContainerResources } from '../../../api/contract/container-config.ts';
import {
	CPU_PERIOD_MICROS,
	cpuQuotaOf,
	cpuSharesOf,
	LEAST_SHARES,
	MOST_SHARES,
	SHARES_PER_CPU,
} from '../../cpu-amounts.ts';

/** The controllers of the kernel that stint uses. */
export type CgroupController = 'cpu' | 'memory' | 'pids';

/** What a control group gives and limits; an absent value is not set. */
export interface CgroupLimits {
	/** The weight of its processes when the processors are busy, in the shares of cgroup v1. */
	readonly cpuShares?: number;
	/** The processor time in microseconds that it may use in each period of {@link CPU_PERIOD_MICROS}. */
	readonly cpuQuotaMicros?: number;
	readonly memoryBytes?: number;
	readonly pids?: number;
}

/** The limits of a container as far as there are controllers for them; undefined if it has none. */
export function containerLimitsOf(
	resources: ContainerResources,
	controllers: ReadonlySet<CgroupController>,
): CgroupLimits | undefined {
	return enforceable(limitsOf(resources), controllers);
}

/** The same of a Pod, with the most processes that it may have; 0 if that is not limited. */
export function podLimitsOf(
	resources: ContainerResources,
	maxPids: number,
	controllers: ReadonlySet<CgroupController>,
): CgroupLimits | undefined {
	return enforceable({ ...limitsOf(resources), ...(maxPids > 0 && { pids: maxPids }) }, controllers);
}

function enforceable(
	limits: CgroupLimits,
	controllers: ReadonlySet<CgroupController>,
): CgroupLimits | undefined {
	const { memoryBytes, pids, ...cpu } = limits;
	const kept = {
		...(controllers.has('cpu') && cpu),
		...(controllers.has('memory') && memoryBytes !== undefined && { memoryBytes }),
		...(controllers.has('pids') && pids !== undefined && { pids }),
	};
	return Object.keys(kept).length > 0 ? kept : undefined;
}

/**
 * The limits of a container or Pod (upstream: `calculateLinuxResources` in kuberuntime_container_linux.go).
 *
 * Unlike upstream's, a container that requests no processor time gets no shares, instead of the fewest possible: most such
 * containers have no control group at all, and run with the weight of stint itself. Those with a memory limit must not
 * get less than they do.
 */
function limitsOf({ requests, limits }: ContainerResources): CgroupLimits {
	const weight = requests.cpuMillis ?? limits.cpuMillis ?? 0;
	return {
		...(weight > 0 && { cpuShares: cpuSharesOf(weight) }),
		...(limits.cpuMillis && { cpuQuotaMicros: cpuQuotaOf(limits.cpuMillis) }),
		...(limits.memoryBytes && { memoryBytes: limits.memoryBytes }),
	};
}

/** The controllers that these limits need. */
export function controllersOf(limits: CgroupLimits): ReadonlySet<CgroupController> {
	const needed = new Set<CgroupController>();
	if (limits.cpuShares !== undefined || limits.cpuQuotaMicros !== undefined) needed.add('cpu');
	if (limits.memoryBytes !== undefined) needed.add('memory');
	if (limits.pids !== undefined) needed.add('pids');
	return needed;
}

/** A value for a file of a control group. */
export interface CgroupFile {
	readonly name: string;
	readonly value: string;
	/** True if some kernels lack the file: those without accounting of swap, and those before the file came. */
	readonly isOptional?: boolean;
}

/**
 * The values for the files of a group with these controllers, in an order in which the kernel takes them for a new group.
 * Limits that are absent are lifted, so that the same values change a group that has others.
 */
export function cgroupFilesOf(
	limits: CgroupLimits,
	{ version, controllers }: { readonly version: 1 | 2; readonly controllers: ReadonlySet<CgroupController> },
): readonly CgroupFile[] {
	const of = version === 1 ? FILES_V1 : FILES_V2;
	return (['memory', 'cpu', 'pids'] as const).flatMap((name) =>
		controllers.has(name) ? of[name](limits) : [],
	);
}

type FilesOf = Readonly<Record<CgroupController, (limits: CgroupLimits) => readonly CgroupFile[]>>;

const FILES_V1: FilesOf = {
	memory: ({ memoryBytes = -1 }) => [
		{ name: 'memory.limit_in_bytes', value: String(memoryBytes) },
		{ name: 'memory.memsw.limit_in_bytes', value: String(memoryBytes), isOptional: true },
	],
	cpu: ({ cpuShares = SHARES_PER_CPU, cpuQuotaMicros = -1 }) => [
		{ name: 'cpu.shares', value: String(cpuShares) },
		{ name: 'cpu.cfs_period_us', value: String(CPU_PERIOD_MICROS) },
		{ name: 'cpu.cfs_quota_us', value: String(cpuQuotaMicros) },
	],
	pids: pidFiles,
};

const FILES_V2: FilesOf = {
	// Containers use no swap, as with the kubelet's default `NoSwap`. One process too big ends the whole container.
	memory: ({ memoryBytes }) => [
		{ name: 'memory.max', value: String(memoryBytes ?? 'max') },
		{ name: 'memory.swap.max', value: memoryBytes === undefined ? 'max' : '0', isOptional: true },
		{ name: 'memory.oom.group', value: '1', isOptional: true },
	],
	cpu: ({ cpuShares, cpuQuotaMicros }) => [
		{ name: 'cpu.weight', value: String(cpuShares === undefined ? DEFAULT_WEIGHT : weightOf(cpuShares)) },
		{ name: 'cpu.max', value: `${cpuQuotaMicros ?? 'max'} ${CPU_PERIOD_MICROS}` },
	],
	pids: pidFiles,
};

const DEFAULT_WEIGHT = 100;

function pidFiles({ pids }: CgroupLimits): readonly CgroupFile[] {
	return [{ name: 'pids.max', value: String(pids ?? 'max') }];
}

/**
 * Shares as the weight of cgroup v2: a curve on which the fewest shares are 1, those of one processor 100, and the most
 * 10,000 (opencontainers/cgroups: `ConvertCPUSharesToCgroupV2Value`).
 */
function weightOf(shares: number): number {
	if (shares <= LEAST_SHARES) return 1;
	if (shares >= MOST_SHARES) return 10_000;
	const power = Math.log2(shares);
	return Math.ceil(10 ** ((power * power + 125 * power) / 612 - 7 / 34));
}
