import type { MachineFacts } from './facts.ts';
import { fine, isAllowed, lacking, type MachineFinding } from './finding.ts';

/** Which runtimes `--runtime` can name on this machine. Without one for images, Jobs run programs of this machine. */
export function runtimeFindings(facts: MachineFacts): readonly MachineFinding[] {
	const name = { name: 'runtimes', title: 'runtimes' };
	const { engine, cri } = facts;
	const noSandbox = whyNoSandbox(facts);
	const works = [
		'process',
		...(noSandbox === undefined
			? [facts.isolation.level === 'chroot' ? 'sandbox (level chroot)' : 'sandbox']
			: []),
		...('socketPath' in engine ? [`docker (${engine.socketPath})`] : []),
		// Most machines have none, and miss nothing: why is not said.
		...('socketPath' in cri ? [`cri (${cri.socketPath})`] : []),
	];
	const fails = [
		...(noSandbox === undefined ? [] : [`sandbox: ${noSandbox}`]),
		...('problem' in engine ? [`docker: ${engine.problem}`] : []),
	];
	const found = works.join(', ');
	if (works.length > 1)
		return [fine(name, fails.length === 0 ? found : `${found} (not ${fails.join('; not ')})`)];
	return [lacking(name, `${found}: no images can be run`, { because: fails.join('; ') })];
}

/** Whether `--pod-network pod` is possible. */
export function networkFindings({ podNetworks }: MachineFacts): readonly MachineFinding[] {
	const name = { name: 'podNetworks', title: 'networks of Pods' };
	const { refusal, confined } = podNetworks;
	if (refusal !== undefined)
		return [lacking(name, 'Pods have the network of this machine', { because: refusal })];
	const found = 'each Pod can have its own (--pod-network pod)';
	if (confined === undefined) return [fine(name, found)];
	return [lacking(name, `${found}, but reaches no other machine from there`, { because: confined })];
}

/** As the runtime decides: a container needs the shim, and a level of isolation with processes and a root of its own, or chroot. */
function whyNoSandbox({ isolation }: MachineFacts): string | undefined {
	if (isolation.shim === undefined) return 'there is no shim';
	if (isolation.level === 'chroot') return undefined;
	if (isolation.level === 'none') return 'containers cannot be isolated';
	if (!isAllowed(isolation.processes)) return 'containers cannot have processes of their own';
	return isAllowed(isolation.roots) ? undefined : 'containers cannot have root file systems of their own';
}
