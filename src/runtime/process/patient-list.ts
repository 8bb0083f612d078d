import { type Clock, sleep } from '../../base/clock.ts';
import { type RuntimeContainer, RuntimeUnavailable } from '../contract.ts';

const ATTEMPTS = 5;
const PAUSE_MS = 500;

/**
 * What `list` resolves to, also if the launcher is killed meanwhile: that must not end the start of a server. Rejects with
 * RuntimeUnavailable if the runtime cannot be reached for about two seconds.
 */
export async function patientList(
	list: () => Promise<readonly RuntimeContainer[]>,
	clock: Clock,
): Promise<readonly RuntimeContainer[]> {
	for (let attempts = 1; ; attempts++) {
		try {
			return await list();
		} catch (error) {
			if (!(error instanceof RuntimeUnavailable) || attempts === ATTEMPTS) throw error;
			await sleep(clock, PAUSE_MS);
		}
	}
}
