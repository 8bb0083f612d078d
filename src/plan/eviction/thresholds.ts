/** When a node is short of a resource (upstream: `ParseThresholdConfig` and `thresholdsMet` in pkg/kubelet/eviction). */

import { parseGoDuration } from '../../api/batch/cronjob/go-duration.ts';
import { formatQuantity, parseQuantity, QuantityError, quantityValue } from '../../api/meta/quantity.ts';

/** What of the machine is watched: free memory, bytes and inodes of the file system of the data folder, process ids. */
export type EvictionSignal = 'memory.available' | 'nodefs.available' | 'nodefs.inodesFree' | 'pid.available';

/** How much there is of a resource, and how much of it is free. */
export interface ResourceSupply {
	readonly available: number;
	readonly capacity: number;
}

/** What was observed; a signal that the machine does not have is absent. */
export type Observations = { readonly [signal in EvictionSignal]?: ResourceSupply };

/** The least amount that must be free: a quantity, or a percentage of the capacity. */
export interface Threshold {
	readonly signal: EvictionSignal;
	readonly value: string;
	/** How much more must be free before the shortage ends: a quantity, or a percentage of the capacity. */
	readonly minReclaim?: string;
	/** Absent for a hard threshold, which evicts at once. */
	readonly soft?: SoftEviction;
}

/** How a soft threshold evicts. */
export interface SoftEviction {
	/** How long the threshold must have been met before Pods are evicted. */
	readonly graceMs: number;
	/** The most seconds that an evicted Pod gets to end, if it asks for more; 0 or less: what it asks for. */
	readonly maxPodGraceSeconds: number;
}

/** What is known about each signal, as upstream names it. */
interface SignalFacts {
	/** As the messages and Events name it. */
	readonly resource: 'memory' | 'ephemeral-storage' | 'inodes' | 'pids';
	readonly condition: 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';
	readonly format: 'BinarySI' | 'DecimalSI';
}

/** The facts about each signal, in the order in which shortages are handled: memory first. */
export const SIGNALS: Readonly<Record<EvictionSignal, SignalFacts>> = {
	'memory.available': { resource: 'memory', condition: 'MemoryPressure', format: 'BinarySI' },
	'nodefs.available': { resource: 'ephemeral-storage', condition: 'DiskPressure', format: 'BinarySI' },
	'nodefs.inodesFree': { resource: 'inodes', condition: 'DiskPressure', format: 'DecimalSI' },
	'pid.available': { resource: 'pids', condition: 'PIDPressure', format: 'DecimalSI' },
};

/** The kubelet's default of `evictionHard`, as far as stint has the signals. */
export const DEFAULT_EVICTION_HARD = 'memory.available<100Mi,nodefs.available<10%,nodefs.inodesFree<5%';

/** A list of signals with values is invalid. The message says which part. */
export class ThresholdError extends Error {
	override readonly name = 'ThresholdError';
}

/**
 * Parses `memory.available<100Mi,nodefs.available<10%`; empty for no thresholds. As upstream, 0% and 100% turn a signal
 * off. Throws a {@link ThresholdError}.
 */
export function parseThresholds(text: string): readonly Threshold[] {
	const found = parseList(text, { sign: '<', example: 'memory.available<100Mi' });
	for (const [signal, { amount, isPercentage }] of found)
		if (!isPercentage && parseQuantity(amount).nanos === 0n) throw mustBePositive(signal);
	const all = Array.from(found, ([signal, { amount }]) => ({ signal, value: amount }));
	return all.filter(({ value }) => value !== '0%' && value !== '100%');
}

/**
 * The thresholds with what must be free beyond them before their shortage ends: `memory.available=500Mi,
 * nodefs.available=5%`. Signals without a threshold are ignored. Throws a {@link ThresholdError}.
 */
export function withMinimumReclaim(thresholds: readonly Threshold[], text: string): readonly Threshold[] {
	const found = parseList(text, { sign: '=', example: 'memory.available=500Mi' });
	for (const [signal, { amount }] of found) if (amount === '0%') throw mustBePositive(signal);
	return thresholds.map((threshold) => {
		const reclaim = found.get(threshold.signal);
		return reclaim ? { ...threshold, minReclaim: reclaim.amount } : threshold;
	});
}

/**
 * Parses the soft thresholds of a kubelet, as {@link parseThresholds} does, with their grace periods:
 * `memory.available=1m30s`. Those of signals without a soft threshold are ignored. Throws a {@link ThresholdError}.
 */
export function parseSoftThresholds(
	text: string,
	{
		gracePeriods,
		maxPodGraceSeconds,
	}: { readonly gracePeriods: string; readonly maxPodGraceSeconds: number },
): readonly Threshold[] {
	const periods = parseGracePeriods(gracePeriods);
	return parseThresholds(text).map((threshold) => {
		const graceMs = periods.get(threshold.signal);
		if (graceMs !== undefined) return { ...threshold, soft: { graceMs, maxPodGraceSeconds } };
		throw new ThresholdError(
			`grace period must be specified for the soft eviction threshold ${threshold.signal}`,
		);
	});
}

/** The grace periods of `memory.available=1m30s,nodefs.available=2m` by signal, in ms. */
function parseGracePeriods(text: string): ReadonlyMap<EvictionSignal, number> {
	const parts = splitList(text, { sign: '=', example: 'memory.available=1m30s' });
	return new Map(
		Array.from(parts, ([signal, value]) => {
			const duration = parseGoDuration(value);
			if (!duration.ok) throw new ThresholdError(`the value of ${signal}: ${duration.error}`);
			if (duration.ms < 0)
				throw new ThresholdError(
					`invalid eviction grace period specified: ${value}, must be a positive value`,
				);
			return [signal, duration.ms];
		}),
	);
}

interface ParsedAmount {
	readonly amount: string;
	readonly isPercentage: boolean;
}

/** How the parts of a list are written. */
interface ListForm {
	readonly sign: '<' | '=';
	readonly example: string;
}

/** Parses signals with quantities or percentages, separated by commas. */
function parseList(text: string, form: ListForm): ReadonlyMap<EvictionSignal, ParsedAmount> {
	const values = splitList(text, form);
	return new Map(Array.from(values, ([signal, value]) => [signal, parseAmount(signal, value)]));
}

/** Splits a list of signals with values. */
function splitList(text: string, { sign, example }: ListForm): ReadonlyMap<EvictionSignal, string> {
	const found = new Map<EvictionSignal, string>();
	for (const part of text.split(',').map((each) => each.trim())) {
		if (part === '') continue;
		const [signal = '', value = '', ...rest] = part.split(sign).map((each) => each.trim());
		if (value === '' || rest.length > 0)
			throw new ThresholdError(`"${part}" is not of the form signal${sign}value, such as ${example}`);
		if (!isSignal(signal)) {
			const known = Object.keys(SIGNALS).join(', ');
			throw new ThresholdError(`unsupported eviction signal ${signal}; the signals are ${known}`);
		}
		if (found.has(signal)) throw new ThresholdError(`${signal} is given twice`);
		found.set(signal, value);
	}
	return found;
}

function parseAmount(signal: string, value: string): ParsedAmount {
	const percentage = /^(\d+(?:\.\d+)?)%$/.exec(value)?.[1];
	if (percentage === undefined) {
		if (isNegative(signal, value)) throw mustBePositive(signal);
		return { amount: value, isPercentage: false };
	}
	if (Number(percentage) > 100) throw new ThresholdError(`the percentage of ${signal} must be <= 100%`);
	return { amount: `${Number(percentage)}%`, isPercentage: true };
}

function isNegative(signal: string, value: string): boolean {
	try {
		return parseQuantity(value).nanos < 0n;
	} catch (error) {
		if (!(error instanceof QuantityError)) throw error;
		throw new ThresholdError(`the value of ${signal}: ${error.message}`);
	}
}

function mustBePositive(signal: string): ThresholdError {
	return new ThresholdError(`the value of ${signal} must be positive`);
}

function isSignal(name: string): name is EvictionSignal {
	return Object.hasOwn(SIGNALS, name);
}

/** The amount that a threshold means for this capacity. */
export function thresholdAmount({ value }: Threshold, capacity: number): number {
	return amountOf(value, capacity);
}

function amountOf(value: string, capacity: number): number {
	const percentage = /^(.*)%$/.exec(value)?.[1];
	return percentage === undefined ? quantityValue(value) : Math.floor((capacity * Number(percentage)) / 100);
}

/**
 * The thresholds of which less is free than they say, in the order of {@link SIGNALS}, hard before soft ones. Those of
 * `before`, which evicted Pods at the last check, need their minimum reclaim beyond it.
 */
export function thresholdsMet(
	thresholds: readonly Threshold[],
	observed: Observations,
	before: readonly Threshold[],
): readonly Threshold[] {
	const order = Object.keys(SIGNALS);
	const unresolved = new Set(before);
	return thresholds
		.filter((threshold) => {
			const supply = observed[threshold.signal];
			if (!supply) return false;
			const { capacity, available } = supply;
			const more = unresolved.has(threshold) ? amountOf(threshold.minReclaim ?? '0', capacity) : 0;
			return available < thresholdAmount(threshold, capacity) + more;
		})
		.toSorted(
			(one, other) =>
				order.indexOf(one.signal) - order.indexOf(other.signal) ||
				Number(one.soft !== undefined) - Number(other.soft !== undefined),
		);
}

/** Since when each threshold has been met without interruption, in ms of a monotonic clock. */
export type MetSince = ReadonlyMap<Threshold, number>;

/** The times after a check that has found `met`. */
export function metSinceAfter(before: MetSince, met: readonly Threshold[], now: number): MetSince {
	return new Map(met.map((threshold) => [threshold, before.get(threshold) ?? now]));
}

/** The thresholds that evict Pods: those whose grace period is over, in the order of `since`. */
export function thresholdsDue(since: MetSince, now: number): readonly Threshold[] {
	return Array.from(since)
		.filter(([{ soft }, at]) => now - at >= (soft?.graceMs ?? 0))
		.map(([threshold]) => threshold);
}

/** An amount of the resource of a signal, as messages have it. */
export function amountText(amount: number, format: SignalFacts['format']): string {
	return formatQuantity({ nanos: BigInt(Math.floor(amount)) * 1_000_000_000n, format });
}
