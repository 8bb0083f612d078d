import type { Clock } from '../../../base/clock.ts';
import { isShortage } from '../../../base/files/system-error.ts';
import { RuntimeBusy } from '../../contract.ts';
import { describeShortage } from '../start-error.ts';
import type { ContainerSlots } from './container-slots.ts';

/** How long a start waits for descriptors, processes, memory or disk before it rejects with RuntimeBusy. */
const LONGEST_WAIT_MS = 1000;

/** What {@link startInSlot} waits with. */
export interface SlotHost {
	readonly slots: ContainerSlots;
	readonly clock: Clock;
}

/** How an attempt to start ended; `wasTried` is false if there was no slot. */
export type SlotStart<Started> =
	| { readonly started: Started }
	| { readonly busy: RuntimeBusy; readonly wasTried: boolean };

/**
 * Takes a slot and starts something in it. While the machine is short of a resource, it waits for other
 * containers to exit, for {@link LONGEST_WAIT_MS} at most: calls for a Pod come one at a time, so a caller that
 * wants to stop the Pod would have to wait as well. Rejects with an error of `start` that is no shortage.
 */
export async function startInSlot<Started>(
	{ slots, clock }: SlotHost,
	start: () => Promise<Started>,
): Promise<SlotStart<Started>> {
	const deadline = clock.monotonic() + LONGEST_WAIT_MS;
	let shortage: unknown;
	while (clock.monotonic() < deadline && (await slots.take(deadline))) {
		try {
			return { started: await start() };
		} catch (error) {
			slots.release();
			if (!isShortage(error)) throw error;
			shortage = error;
		}
		await slots.nextRelease(deadline);
	}
	const wasTried = shortage !== undefined;
	return { busy: new RuntimeBusy(wasTried ? describeShortage(shortage) : slots.fullMessage), wasTried };
}
