import { mkdir } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import { type MachineProbe, probeMachine } from '../process/shim/probe.ts';
import { withTrial } from './stale-roots.ts';

/** Tries the machine as {@link imageMachineOf} sees it, with images in `imageFolder`, which is made if it does not exist. */
export async function probeForImages(...trial: Parameters<typeof probeWithImages>): Promise<MachineProbe> {
	return imageMachineOf(await probeWithImages(...trial));
}

/** The same machine as host processes see it too. */
export async function probeWithImages(
	shim: string | undefined,
	{ imageFolder, clock }: { readonly imageFolder: string; readonly clock: Clock },
): Promise<MachineProbe> {
	await mkdir(imageFolder, { recursive: true, mode: 0o700 });
	return await withTrial(imageFolder, clock, (trial) => probeMachine(shim, trial));
}

/**
 * The machine as far as containers with images can use it. The level is `chroot` where they cannot have roots and processes
 * of their own, but root may do what that level needs.
 */
export function imageMachineOf(machine: MachineProbe): MachineProbe {
	if (machine.roots === 'allowed' || machine.chroot !== 'allowed') return machine;
	return { ...machine, level: 'chroot', hasPids: false };
}

/** Why images cannot be run on a machine; undefined if they can. */
export function imagesRefusal(shim: string | undefined, machine: MachineProbe): string | undefined {
	if (shim === undefined) return 'images cannot be run: stint has no shim for this system';
	if (machine.level === 'chroot' || machine.roots === 'allowed') return undefined;
	const { chroot, reason } = machine;
	const nor = chroot instanceof Error ? `, nor gives them roots by chroot: ${chroot.message}` : '';
	return `images cannot be run: this machine does not isolate containers: ${reason}${nor}`;
}
