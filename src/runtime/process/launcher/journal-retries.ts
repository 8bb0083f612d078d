import type { Clock } from '../../../base/clock.ts';
import type { Journal } from './journal.ts';
import type { JournalEntry } from './journal-entry.ts';

/** How long to wait before lines that could not be written are tried again. */
const SAVE_RETRY_MS = 500;

/** Records events that have happened. A full disk cannot undo them, so a failed write is retried. */
export class JournalRetries {
	readonly #journal: Journal;
	readonly #clock: Clock;
	readonly #onTried: () => void;
	/** True while a timer is set to retry the journal's unsaved entries. */
	#isWaiting = false;

	/** `onTried` is called after each retry: the journal may be complete then. */
	constructor(journal: Journal, clock: Clock, onTried: () => void) {
		this.#journal = journal;
		this.#clock = clock;
		this.#onTried = onTried;
	}

	/** Records an event. Never throws. */
	record(entry: JournalEntry): void {
		this.#journal.record(entry);
		this.#retry();
	}

	#retry(): void {
		if (!this.#journal.isBehind || this.#isWaiting) return;
		this.#isWaiting = true;
		this.#clock.setTimer(SAVE_RETRY_MS, () => {
			this.#isWaiting = false;
			// The first failure has been reported: a full disk would otherwise be reported twice a second.
			this.#journal.save(() => {});
			this.#retry();
			this.#onTried();
		});
	}
}
