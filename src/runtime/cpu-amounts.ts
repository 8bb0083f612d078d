import type { ContainerResources } from '../api/contract/container-config.ts';

/** The kubelet's `cpuCFSQuotaPeriod`, in microseconds. */
export const CPU_PERIOD_MICROS = 100_000;
/** The least quota that the kernel takes (upstream: `minQuotaPeriod`). */
const LEAST_QUOTA_MICROS = 1000;
/** The fewest shares that the kernel takes (upstream: `MinShares`). */
export const LEAST_SHARES = 2;
/** The most shares that the kernel takes (upstream: `MaxShares`). */
export const MOST_SHARES = 262_144;
/** The shares of one processor. */
export const SHARES_PER_CPU = 1024;

/** The weight for processor time that is requested, in the shares of cgroup v1 (upstream: `MilliCPUToShares`). */
export function cpuSharesOf(millis: number): number {
	const shares = Math.floor((millis * SHARES_PER_CPU) / 1000);
	return Math.min(Math.max(shares, LEAST_SHARES), MOST_SHARES);
}

/** The processor time in each period for a limit above 0, in microseconds (upstream: `MilliCPUToQuota`). */
export function cpuQuotaOf(millis: number): number {
	return Math.max(Math.floor((millis * CPU_PERIOD_MICROS) / 1000), LEAST_QUOTA_MICROS);
}

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
	return {
		shares: cpuSharesOf(requests.cpuMillis ?? limits.cpuMillis ?? 0),
		period: CPU_PERIOD_MICROS,
		quota: limits.cpuMillis ? cpuQuotaOf(limits.cpuMillis) : 0,
	};
}
