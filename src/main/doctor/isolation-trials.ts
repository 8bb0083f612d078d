import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/message-of.ts';
import type { IsolationFacts, Trial } from '../../plan/doctor/facts.ts';
import { userOfThisProcess } from '../../runtime/process/shim/host-users.ts';
import type { MachineProbe } from '../../runtime/process/shim/probe.ts';
import type { StartFailure } from '../../runtime/process/shim/shim-failure.ts';
import { tryBoxes } from '../../runtime/process/shim/trials.ts';
import { imageMachineOf } from '../../runtime/sandbox/image-machine.ts';

/** What {@link tryIsolation} needs. */
export interface IsolationTrial {
	readonly shim: string | undefined;
	/** What the runtime finds out at its start, and decides by. */
	readonly probe: MachineProbe;
	/** An existing folder in the file system that images would use. */
	readonly storage: string;
	readonly clock: Clock;
}

/** Tries by the shim what containers can have of their own. */
export async function tryIsolation({ shim, probe, storage, clock }: IsolationTrial): Promise<IsolationFacts> {
	const { level } = imageMachineOf(probe);
	const user = userOfThisProcess();
	if (shim === undefined || user === undefined)
		return { shim, level, ...allUntried('stint has no shim that can be executed here') };
	const options = { file: shim, clock, inUserNamespace: probe.level !== 'root', storage, user };
	try {
		const { box, userNamespaces, mounts, processes, seccomp, overlay } = await tryBoxes(options);
		return {
			shim,
			level,
			box: trialOf(box),
			userNamespaces: trialOf(userNamespaces),
			mounts: trialOf(mounts),
			processes: trialOf(processes),
			seccomp: trialOf(seccomp),
			roots: rootTrialOf(probe.roots, 'containers cannot be isolated'),
			overlay: trialOf(overlay),
			chroot: rootTrialOf(probe.chroot, 'containers can be isolated'),
		};
	} catch (error) {
		return { shim, level, ...allUntried(`the shim cannot run: ${messageOf(error)}`) };
	}
}

function trialOf(failure: StartFailure | undefined): Trial {
	if (!failure) return { kind: 'allowed' };
	const { code, step, path } = failure;
	return { kind: 'refused', code, step, ...(path !== '' && { detail: path }) };
}

/** The result of a trial of the probe, and `why` there is none if it was not made. */
function rootTrialOf(result: MachineProbe['roots'], why: string): Trial {
	if (result === undefined) return { kind: 'untried', why };
	return trialOf(result === 'allowed' ? undefined : result);
}

function allUntried(why: string): Omit<IsolationFacts, 'shim' | 'level'> {
	const untried: Trial = { kind: 'untried', why };
	return {
		box: untried,
		userNamespaces: untried,
		mounts: untried,
		processes: untried,
		seccomp: untried,
		roots: untried,
		overlay: untried,
		chroot: untried,
	};
}
