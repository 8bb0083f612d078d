import type { ContainerResources } from '../../api/contract/container-config.ts';

/** Upstream's `MilliCPUToShares` and `MilliCPUToQuota` in pkg/kubelet/cm. */
const SHARES_PER_CPU = 1024;
const LEAST_SHARES = 2;
const MOST_SHARES = 262_144;
const PERIOD_MICROSECONDS = 100_000;
const LEAST_QUOTA = 1000;

/** Processor time as engines of containers take it. */
export interface CpuAmounts {
	readonly shares: number;
	/** In microseconds. */
	readonly period: number;
	/** In microseconds; 0 for no limit. */
	readonly quota: number;
}

/** The processor time of a container. Pure. */
export function cpuAmounts({ requests, limits }: ContainerResources): CpuAmounts {
	const cpu = requests.cpuMillis ?? limits.cpuMillis ?? 0;
	const shares = Math.min(Math.max(Math.floor((cpu * SHARES_PER_CPU) / 1000), LEAST_SHARES), MOST_SHARES);
	const quota = ((limits.cpuMillis ?? 0) * PERIOD_MICROSECONDS) / 1000;
	return {
		shares,
		period: PERIOD_MICROSECONDS,
		quota: quota > 0 ? Math.max(Math.ceil(quota), LEAST_QUOTA) : 0,
	};
}
