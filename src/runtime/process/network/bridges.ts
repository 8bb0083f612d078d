/**
 * The bridges of stint on this machine. The alias of a bridge says which launcher has made it and which addresses it has:
 * a bridge outlives its launcher while containers use it, and a launcher that finds one without both removes it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { attempt } from '../../../base/attempt.ts';

/** A bridge with the addresses of its Pods. */
export interface Bridge {
	readonly name: string;
	/** Such as `10.244.0.0/16`. */
	readonly range: string;
	/** The key of its launcher: see Origin.key. */
	readonly key: string;
	/** The addresses of Services that are this machine's while the bridge exists, such as `10.96.0.0/16`. */
	readonly services?: string;
	/** Whether stint has switched on that the machine forwards packets, for this bridge. */
	readonly forwards: boolean;
}

/** All names of bridges begin so: rules of the packet filter count on it. */
export const BRIDGE_PREFIX = 'stint';

const LINKS = '/sys/class/net';

/** What the alias of a bridge says. */
export function aliasOf({ key, range, services, forwards }: Omit<Bridge, 'name'>): string {
	const local = services === undefined ? '' : ` services ${services}`;
	return `stint ${key} ${range}${local}${forwards ? ' forwards' : ''}`;
}

const ALIAS = /^stint (\S+) (\d[\d./]+)(?: services (\d[\d./]+))?( forwards)?$/;

/** Decodes an alias; undefined if it is none of a bridge of stint. */
export function parseAlias(text: string): Omit<Bridge, 'name'> | undefined {
	const [, key, range, services, forwards] = ALIAS.exec(text.trim()) ?? [];
	if (key === undefined || range === undefined) return undefined;
	return { key, range, ...(services !== undefined && { services }), forwards: forwards !== undefined };
}

/** The bridges of stint; empty if /sys shows the links of another network namespace. */
export function findBridges(): readonly Bridge[] {
	const names = linkNames();
	const shown = new Set(attempt(() => readdirSync(LINKS)));
	if (names.length !== shown.size || !names.every((name) => shown.has(name))) return [];
	return names.flatMap((name) => {
		const alias = attempt(() => readFileSync(`${LINKS}/${name}/ifalias`, 'utf8')) ?? '';
		const parsed = name.startsWith(BRIDGE_PREFIX) ? parseAlias(alias) : undefined;
		return parsed ? [{ name, ...parsed }] : [];
	});
}

/** The names of all links of this network namespace. */
export function linkNames(): readonly string[] {
	const table = attempt(() => readFileSync('/proc/net/dev', 'latin1')) ?? '';
	return Array.from(table.matchAll(/^ *([^\s:]+):/gm), ([, name = '']) => name);
}

/** Whether a Pod or the launcher of the bridge uses it. A bridge that is not used belongs to a launcher that was killed. */
export function isUsed({ name, key }: Bridge): boolean {
	return hasPorts(name) || isLauncherPresent(key);
}

/** Whether a Pod uses the bridge. */
export function hasPorts(name: string): boolean {
	return (attempt(() => readdirSync(`${LINKS}/${name}/brif`)) ?? []).length > 0;
}

/**
 * The name of the socket by which a launcher shows that it runs: an abstract one, which ends with the process, and which only
 * processes of the same network namespace see.
 */
export function presenceName(key: string): string {
	return `\0stint-network-${key}`;
}

/** Whether the launcher with this key shows that it runs. */
export function isLauncherPresent(key: string): boolean {
	const sockets = attempt(() => readFileSync('/proc/net/unix', 'latin1')) ?? '';
	return sockets.includes(`@stint-network-${key}\n`);
}
