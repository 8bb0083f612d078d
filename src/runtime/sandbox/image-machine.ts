import { mkdir } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import { type MachineProbe, probeMachine } from '../process/shim/probe.ts';
import { withTrial } from './stale-roots.ts';

/**
 * Tries what a machine allows containers whose images are in `imageFolder`, which is made if it does not exist. The level is
 * `chroot` where containers cannot have views and processes of their own, but root may do what that level needs.
 */
export async function probeForImages(
	shim: string | undefined,
	{ imageFolder, clock }: { readonly imageFolder: string; readonly clock: Clock },
): Promise<MachineProbe> {
	await mkdir(imageFolder, { recursive: true, mode: 0o700 });
	return imageMachineOf(await withTrial(imageFolder, clock, (trial) => probeMachine(shim, trial)));
}

/** The machine as far as containers with images can use it. */
export function imageMachineOf(machine: MachineProbe): MachineProbe {
	if (runsBoxes(machine) || machine.chroot !== 'allowed') return machine;
	return { ...machine, level: 'chroot', hasPids: false };
}

/** Why images cannot be run on a machine; undefined if they can. */
export function imagesRefusal(shim: string | undefined, machine: MachineProbe): string | undefined {
	if (shim === undefined) return 'images cannot be run: stint has no shim for this system';
	if (machine.level === 'chroot' || runsBoxes(machine)) return undefined;
	const { chroot, reason } = machine;
	const nor = chroot instanceof Error ? `, nor gives them roots by chroot: ${chroot.message}` : '';
	return `images cannot be run: this machine does not isolate containers: ${reason}${nor}`;
}

/** An image expects that its program is process 1. */
function runsBoxes({ level, hasPids }: MachineProbe): boolean {
	return (level === 'root' || level === 'user') && hasPids;
}
