/** When a node is short of a resource (upstream: `ParseThresholdConfig` and `thresholdsMet` in pkg/kubelet/eviction). */

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

/** A value of --eviction-hard is invalid. The message says which part. */
export class ThresholdError extends Error {
	override readonly name = 'ThresholdError';
}

/**
 * Parses `memory.available<100Mi,nodefs.available<10%`; empty for no thresholds. As upstream, 0% and 100% turn a signal
 * off. Throws a {@link ThresholdError}.
 */
export function parseThresholds(text: string): readonly Threshold[] {
	const parts = text.split(',').map((part) => part.trim());
	const found = parts.filter((part) => part !== '').map(parseThreshold);
	const twice = found.find(
		({ signal }, index) => found.findIndex((each) => each.signal === signal) !== index,
	);
	if (twice) throw new ThresholdError(`${twice.signal} is given twice`);
	return found.filter(({ value }) => value !== '0%' && value !== '100%');
}

function parseThreshold(part: string): Threshold {
	const [name = '', value = '', ...rest] = part.split('<').map((each) => each.trim());
	if (value === '' || rest.length > 0)
		throw new ThresholdError(`"${part}" is not of the form signal<value, such as memory.available<100Mi`);
	if (!isSignal(name)) {
		const known = Object.keys(SIGNALS).join(', ');
		throw new ThresholdError(`unsupported eviction signal ${name}; the signals are ${known}`);
	}
	const percentage = /^(\d+(?:\.\d+)?)%$/.exec(value)?.[1];
	if (percentage !== undefined && Number(percentage) > 100)
		throw new ThresholdError(`the percentage of ${name} must be <= 100%`);
	if (percentage === undefined) checkQuantity(name, value);
	return { signal: name, value: percentage === undefined ? value : `${Number(percentage)}%` };
}

function checkQuantity(signal: string, value: string): void {
	try {
		if (parseQuantity(value).nanos <= 0n) throw new ThresholdError(`the value of ${signal} must be positive`);
	} catch (error) {
		if (!(error instanceof QuantityError)) throw error;
		throw new ThresholdError(`the value of ${signal}: ${error.message}`);
	}
}

function isSignal(name: string): name is EvictionSignal {
	return Object.hasOwn(SIGNALS, name);
}

/** The amount that a threshold means for this capacity. */
export function thresholdAmount({ value }: Threshold, capacity: number): number {
	const percentage = /^(.*)%$/.exec(value)?.[1];
	return percentage === undefined ? quantityValue(value) : Math.floor((capacity * Number(percentage)) / 100);
}

/** The thresholds of which less is free than they say, in the order of {@link SIGNALS}. */
export function thresholdsMet(
	thresholds: readonly Threshold[],
	observed: Observations,
): readonly Threshold[] {
	const order = Object.keys(SIGNALS);
	return thresholds
		.filter((threshold) => {
			const supply = observed[threshold.signal];
			return supply !== undefined && supply.available < thresholdAmount(threshold, supply.capacity);
		})
		.toSorted((one, other) => order.indexOf(one.signal) - order.indexOf(other.signal));
}

/** An amount of the resource of a signal, as messages have it. */
export function amountText(amount: number, format: SignalFacts['format']): string {
	return formatQuantity({ nanos: BigInt(Math.floor(amount)) * 1_000_000_000n, format });
}
