import { RuntimeBusy } from '../contract.ts';

/** The errors of an engine that say that the machine is short of something, and not that the container is wrong. */
const SHORTAGE =
	/no space left on device|cannot allocate memory|resource temporarily unavailable|too many open files|disk quota exceeded/i;

/** The error for a start that an engine has refused with this message; undefined unless the machine is short of something. */
export function shortageOf(message: string): RuntimeBusy | undefined {
	return SHORTAGE.test(message) ? new RuntimeBusy(`the machine cannot start it now: ${message}`) : undefined;
}
