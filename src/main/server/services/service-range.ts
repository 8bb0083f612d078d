/**
 * Which addresses the Services of a server get, unless it was given a range.
 *
 * 1. Pods that share the network of the machine reach its loopback addresses, and no other machine does: the range is one of
 *    127.0.0.0/8.
 * 2. Pods with networks of their own do not: each has loopback addresses itself. The range is a private one, which the bridge
 *    makes this machine's. Once chosen it is kept in the data folder, since Services keep their addresses.
 */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from '../../../base/files/private-files.ts';
import {
	type AddressRange,
	addressRangeOf,
	DEFAULT_SERVICE_RANGE,
} from '../../../plan/services/allocation/ranges.ts';
import { readJournal } from '../../../runtime/process/launcher/journal.ts';
import { JOURNAL_NAME } from '../../../runtime/process/launcher/launcher-files.ts';
import { type Bridge, findBridges, isUsed } from '../../../runtime/process/network/bridges.ts';
import { machineRoutes } from '../../../runtime/process/network/machine-routes.ts';
import type { PodNetworkWish } from '../../../runtime/process/network/network-choice.ts';
import { overlap, type PodRange, parseNetwork } from '../../../runtime/process/network/pod-range.ts';
import type { DataFolder } from '../data-folder.ts';

/** The addresses of the Services of a server. */
export interface ServiceRange {
	readonly range: AddressRange;
	/** The range as text, if the bridge of the Pods is to make it this machine's; absent: Pods need that of the machine. */
	readonly local?: string;
}

/** What the addresses of Services depend on. */
export interface ServiceRangeOptions {
	readonly folder: DataFolder;
	/** The range that a user wants. */
	readonly serviceRange?: AddressRange;
	readonly podNetwork?: PodNetworkWish;
	readonly podRange?: string;
}

/** Chooses the addresses. Throws an Error that a user can read if none are free, or those that were given are not. */
export function chooseServiceRange(options: ServiceRangeOptions): ServiceRange {
	const { folder, serviceRange: given, podNetwork = 'host' } = options;
	if (podNetwork === 'host' || given?.text.startsWith('127.') || (!given && podNetwork === 'auto'))
		return { range: given ?? loopbackRange(folder.path) };
	const used = [...usedNetworks(), ...claimedRanges(folder)];
	if (!given) return keptRange(options, used);
	if (!used.some((each) => overlap(each, networkOf(given.text)))) return { range: given, local: given.text };
	if (podNetwork === 'auto') return { range: given };
	throw new Error(`--service-cluster-ip-range: this machine uses addresses of ${given.text} already`);
}

/** The ranges to try, in this order: that of kubeadm, then others of private addresses that it would take for itself. */
const CANDIDATES = Array.from({ length: 16 }, (_, index) => `10.${96 + index}.0.0/16`);

/** The first range that is free, which is that of the last start if it still is. */
function keptRange({ folder, podRange = '' }: ServiceRangeOptions, used: readonly PodRange[]): ServiceRange {
	const kept = readPrivateFile(folder.serviceRange)?.trim() ?? '';
	const pods = parseNetwork(podRange);
	const local = freeServiceRange(kept, pods ? [...used, pods] : used);
	const range = local === undefined ? undefined : addressRangeOf(local);
	if (local === undefined || !range)
		throw new Error(
			`this machine uses addresses of all ranges from ${CANDIDATES[0]} to ${CANDIDATES.at(-1)}: choose one for Services by --service-cluster-ip-range`,
		);
	if (local !== kept) writePrivateFile(folder.serviceRange, `${local}\n`);
	return { range, local };
}

/** The range to use: `kept` or the first candidate that has no address in common with a network that is used. */
export function freeServiceRange(kept: string, used: readonly PodRange[]): string | undefined {
	const first = CANDIDATES.includes(kept) ? [kept] : [];
	return [...first, ...CANDIDATES].find((text) => !used.some((each) => overlap(each, networkOf(text))));
}

function networkOf(text: string): PodRange {
	return parseNetwork(text) ?? { base: 0, length: 0 };
}

/** Routes with shorter prefixes are there for what nothing else claims, as the two halves that VPNs have for a default route. */
const SHORTEST_ROUTE = 8;

/** The networks to which this machine has routes, and its own addresses. */
function usedNetworks(): readonly PodRange[] {
	const own = Object.values(networkInterfaces())
		.flatMap((addresses = []) => addresses.filter(({ family }) => family === 'IPv4'))
		.flatMap(({ address }) => parseNetwork(`${address}/32`) ?? []);
	return [...machineRoutes().filter(({ length }) => length >= SHORTEST_ROUTE), ...own];
}

/** The ranges of the Services of other servers, which no route in the usual table shows. */
function claimedRanges({ runtime }: DataFolder): readonly PodRange[] {
	const claims = (bridge: Bridge): boolean => bridge.services !== undefined && isUsed(bridge);
	const bridges = findBridges().filter(claims);
	if (bridges.length === 0) return [];
	const { key: own } = readJournal(join(runtime, JOURNAL_NAME));
	return bridges.flatMap(({ key, services = '' }) => (key === own ? [] : (parseNetwork(services) ?? [])));
}

/** The second number of a loopback range: from 64 to 127, so that no range has the addresses that machines use themselves. */
const FIRST_LOOPBACK = 64;
const LOOPBACKS = 64;

/** It depends on the data folder, so that several servers of one machine rarely have the same. */
function loopbackRange(folder: string): AddressRange {
	const [first = 0] = createHash('sha256').update(realpathSync(folder)).digest();
	return addressRangeOf(`127.${FIRST_LOOPBACK + (first % LOOPBACKS)}.0.0/16`) ?? DEFAULT_SERVICE_RANGE;
}
