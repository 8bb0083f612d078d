import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { PodNetworkTrait } from '../../../api/contract/runtime-traits.ts';
import { messageOf } from '../../../base/message-of.ts';
import type { MachineProbe } from '../shim/probe.ts';
import { kernelRefusal } from './kernel-refusal.ts';

/** Whose network Pods are to have: `auto` is one of their own where this machine allows it, with a way to other machines. */
export type PodNetworkWish = 'auto' | 'host' | 'pod';

/** The longest that the trial may take: it makes one bridge and one network namespace, in milliseconds. */
const LONGEST_TRIAL_MS = 5000;

/** What a trial has shown; neither is set if Pods can have networks of their own and reach other machines. */
export interface PodNetworkTrial {
	/** Why Pods cannot have networks of their own. */
	readonly refusal?: string;
	/** Why they would reach no other machine. */
	readonly confined?: string;
}

interface TrialMachine {
	readonly shim: string | undefined;
	readonly machine: Pick<MachineProbe, 'level'>;
}

/** Chooses by a trial. Rejects with an Error that a user can read if `pod` is wanted and impossible. */
export async function choosePodNetwork(wish: PodNetworkWish, on: TrialMachine): Promise<PodNetworkTrait> {
	if (wish === 'host') return { kind: 'host' };
	const { refusal, confined } = await tryPodNetwork(on);
	if (wish === 'pod' && refusal !== undefined)
		throw new Error(`--pod-network pod: Pods cannot have networks of their own: ${refusal}`);
	// Without being asked, Pods must not lose the way to other machines.
	const reason = refusal ?? (wish === 'auto' ? confined : undefined);
	return reason === undefined ? { kind: 'pod' } : { kind: 'host', reason };
}

/** Tries whether Pods can have networks of their own here. Root's way to other machines is not tried: it changes the machine. */
export async function tryPodNetwork({ shim, machine: { level } }: TrialMachine): Promise<PodNetworkTrial> {
	if (shim === undefined) return { refusal: 'stint has no shim for this system' };
	if (level !== 'root' && level !== 'user') return { refusal: 'this machine does not isolate containers' };
	// Root in a container of another engine, for example.
	if (level === 'user' && process.geteuid?.() === 0)
		return { refusal: 'root may not change the network of this machine' };
	try {
		const { stdout } = await promisify(execFile)(shim, ['network'], { timeout: LONGEST_TRIAL_MS, env: {} });
		const [, refusal] = /^network no (.*)$/m.exec(stdout) ?? [];
		const [, confined] = /^egress no (.*)$/m.exec(stdout) ?? [];
		return {
			...(refusal !== undefined && { refusal: kernelRefusal(refusal) }),
			...(confined !== undefined && { confined: kernelRefusal(confined) }),
		};
	} catch (error) {
		return { refusal: messageOf(error) };
	}
}
