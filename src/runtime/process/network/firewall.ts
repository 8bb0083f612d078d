/**
 * The packet filter's rules for the network of Pods: Pods reach other machines under this machine's address, and no other
 * machine reaches a Pod or a Service. By iptables, and where that is missing by nftables. iptables comes first: where Docker
 * or a firewall has a policy of DROP for forwarded packets, only a rule in the same chain can accept ours.
 *
 * All rules are in chains or a table with the name of the bridge. Applying them again replaces them.
 */
import { execFileSync } from 'node:child_process';
import { attempt } from '../../../base/attempt.ts';
import { findProgram } from '../../../base/files/programs.ts';
import { messageOf } from '../../../base/message-of.ts';

/** What the rules are about. */
export interface FilteredNetwork {
	readonly bridge: string;
	/** The addresses of its Pods, such as `10.244.0.0/16`. */
	readonly range: string;
	/** The addresses of Services, which only this machine and the Pods of the bridge may use. */
	readonly services?: string;
	/** If true, the machine forwards packets only for stint: those of other links are dropped, as before. */
	readonly onlyPods: boolean;
}

/** The longest that a program may take: iptables waits for a lock. */
const LONGEST_RUN_MS = 5000;

/** Where administrators' programs are that PATH may lack. */
const FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin'];

interface FilterProgram {
	readonly file: string;
	readonly arguments: readonly string[];
	apply(network: FilteredNetwork): string;
	/** Texts to run one by one; each may fail, since there may be nothing to remove. */
	remove(network: FilteredNetwork): readonly string[];
}

/** Applies the rules. Throws an Error that a user can read if the machine has no program for that, or it refuses. */
export function applyFilter(network: FilteredNetwork): void {
	const program = filterProgram();
	if (!program) throw new Error('neither iptables nor nft is installed');
	remove(program, network);
	try {
		run(program, program.apply(network));
	} catch (error) {
		throw new Error(`${program.file}: ${firstLine(messageOf(error))}`);
	}
}

/** Removes the rules, if there are any. */
export function removeFilter(network: FilteredNetwork): void {
	const program = filterProgram();
	if (program) remove(program, network);
}

function remove(program: FilterProgram, network: FilteredNetwork): void {
	for (const text of program.remove(network)) attempt(() => run(program, text));
}

function run({ file, arguments: args }: FilterProgram, input: string): void {
	const stdio: 'pipe'[] = ['pipe', 'pipe', 'pipe'];
	execFileSync(file, args, { input, stdio, timeout: LONGEST_RUN_MS, env: { PATH: FOLDERS.join(':') } });
}

/** Node's message repeats the command line first. */
function firstLine(message: string): string {
	const lines = message.split('\n').filter((line) => line.trim() !== '');
	return lines[1] ?? lines[0] ?? '';
}

function filterProgram(): FilterProgram | undefined {
	const restore = find('iptables-restore');
	if (restore !== undefined)
		return {
			file: restore,
			arguments: ['--noflush', '--wait=5'],
			apply: iptablesRules,
			remove: iptablesRemoval,
		};
	const nft = find('nft');
	return nft === undefined
		? undefined
		: { file: nft, arguments: ['-f', '-'], apply: nftRules, remove: nftRemoval };
}

function find(name: string): string | undefined {
	return findProgram(name, [process.env.PATH ?? '', ...FOLDERS].join(':'));
}

/** The rules as iptables-restore(8) takes them. The declaration of a chain empties it. */
export function iptablesRules({ bridge, range, services, onlyPods }: FilteredNetwork): string {
	const [nat, forward, input] = chainsOf(bridge);
	return lines(
		'*nat',
		`:${nat} - [0:0]`,
		`-A ${nat} ! -d ${range} ! -o ${bridge} -j MASQUERADE`,
		`-A POSTROUTING -s ${range} -j ${nat}`,
		'COMMIT',
		'*filter',
		`:${forward} - [0:0]`,
		`-A ${forward} -i ${bridge} -o ${bridge} -j ACCEPT`,
		// Those to the Pods of another server are for its own rules to drop.
		`-A ${forward} -i ${bridge} ! -o stint+ -j ACCEPT`,
		`-A ${forward} -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
		`-A ${forward} -o ${bridge} -j DROP`,
		...(onlyPods ? [`-A ${forward} ! -i stint+ ! -o stint+ -j DROP`] : []),
		`-I FORWARD 1 -j ${forward}`,
		...(services === undefined ? [] : inputRules({ bridge, services, input })),
		'COMMIT',
	);
}

/** Where a firewall drops what this machine gets from other links, these accept what Pods send to Services. */
function inputRules({
	bridge,
	services,
	input,
}: {
	readonly bridge: string;
	readonly services: string;
	readonly input: string;
}): readonly string[] {
	return [
		`:${input} - [0:0]`,
		`-A ${input} ! -d ${services} -j RETURN`,
		`-A ${input} -i lo -j ACCEPT`,
		`-A ${input} -i ${bridge} -j ACCEPT`,
		`-A ${input} -j DROP`,
		`-I INPUT 1 -j ${input}`,
	];
}

function iptablesRemoval({ bridge, range }: FilteredNetwork): readonly string[] {
	const [nat, forward, input] = chainsOf(bridge);
	const removal = (table: string, { jump, chain }: { jump: string; chain: string }): string =>
		lines(`*${table}`, `-D ${jump} -j ${chain}`, `-F ${chain}`, `-X ${chain}`, 'COMMIT');
	return [
		removal('nat', { jump: `POSTROUTING -s ${range}`, chain: nat }),
		removal('filter', { jump: 'FORWARD', chain: forward }),
		removal('filter', { jump: 'INPUT', chain: input }),
	];
}

/** The names of the chains, which have at most 28 characters. */
function chainsOf(bridge: string): readonly [nat: string, forward: string, input: string] {
	return [`${bridge}-nat`, `${bridge}-forward`, `${bridge}-input`];
}

/** The rules as nft(8) takes them. */
export function nftRules({ bridge, range, services, onlyPods }: FilteredNetwork): string {
	const input =
		services === undefined
			? []
			: [
					'chain input {',
					'type filter hook input priority 0;',
					`ip daddr ${services} iifname != { "lo", "${bridge}" } drop`,
					'}',
				];
	const others = onlyPods ? ['iifname != "stint*" oifname != "stint*" drop'] : [];
	return lines(
		`table ip ${bridge} {`,
		'chain nat {',
		'type nat hook postrouting priority 100;',
		`ip saddr ${range} ip daddr != ${range} oifname != "${bridge}" masquerade`,
		'}',
		'chain forward {',
		'type filter hook forward priority 0;',
		`iifname "${bridge}" oifname "${bridge}" accept`,
		`oifname "${bridge}" ct state established,related accept`,
		`oifname "${bridge}" drop`,
		...others,
		'}',
		...input,
		'}',
	);
}

function nftRemoval({ bridge }: FilteredNetwork): readonly string[] {
	return [lines(`delete table ip ${bridge}`)];
}

function lines(...texts: readonly string[]): string {
	return `${texts.join('\n')}\n`;
}
