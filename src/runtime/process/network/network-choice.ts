import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { PodNetworkTrait } from '../../../api/contract/runtime-traits.ts';
import { messageOf } from '../../../base/message-of.ts';
import type { MachineProbe } from '../shim/probe.ts';

/** Whose network Pods are to have: `auto` is one of their own where this machine allows it, with a way to other machines. */
export type PodNetworkWish = 'auto' | 'host' | 'pod';

/** The longest that the trial may take: it makes one bridge and one network namespace, in milliseconds. */
const LONGEST_TRIAL_MS = 5000;

/** Chooses by a trial. Rejects with an Error that a user can read if `pod` is wanted and impossible. */
export async function choosePodNetwork(
	wish: PodNetworkWish,
	{ shim, machine }: { readonly shim: string | undefined; readonly machine: Pick<MachineProbe, 'level'> },
): Promise<PodNetworkTrait> {
	if (wish === 'host') return { kind: 'host' };
	const reason = await refusalOf(shim, machine, wish);
	if (reason === undefined) return { kind: 'pod' };
	if (wish === 'pod') throw new Error(`--pod-network pod: Pods cannot have networks of their own: ${reason}`);
	return { kind: 'host', reason };
}

/** Why Pods cannot have networks of their own here; undefined: they can. */
async function refusalOf(
	shim: string | undefined,
	{ level }: Pick<MachineProbe, 'level'>,
	wish: 'auto' | 'pod',
): Promise<string | undefined> {
	if (shim === undefined) return 'stint has no shim for this system';
	if (level === 'none') return 'this machine does not isolate containers';
	// Root in a container of another engine, for example.
	if (level === 'user' && process.geteuid?.() === 0) return 'root may not change the network of this machine';
	try {
		const { stdout } = await promisify(execFile)(shim, ['network'], { timeout: LONGEST_TRIAL_MS, env: {} });
		// Without being asked, Pods must not lose the way to other machines.
		const isEnough = wish === 'pod' || !/^egress no/m.test(stdout);
		if (stdout.startsWith('network yes') && isEnough) return undefined;
		return `the trial failed (${stdout.trim()})`;
	} catch (error) {
		return messageOf(error);
	}
}
