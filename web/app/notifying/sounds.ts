/** A short sound for what concerns the user, while nobody looks at its conversation. */
import type { App } from "../core/app.ts";
import { concerns } from "../core/notifying.ts";

export function playSounds(app: App): void {
  let audio: AudioContext | null = null;
  app.on("arrived", ({ conversation, event }) => {
    const looked = document.hasFocus() && conversation.key === app.openKey;
    if (looked || !app.notifying?.sound || !concerns(event, app.store.me?.id ?? "")) return;
    // A browser lets no page sound before somebody has used it.
    if (!navigator.userActivation?.hasBeenActive) return;
    audio ??= new AudioContext();
    ring(audio);
  });
}

function ring(audio: AudioContext): void {
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  const begin = audio.currentTime;
  tone.frequency.setValueAtTime(660, begin);
  tone.frequency.setValueAtTime(880, begin + 0.09);
  volume.gain.setValueAtTime(0.08, begin);
  volume.gain.exponentialRampToValueAtTime(0.0001, begin + 0.3);
  tone.connect(volume).connect(audio.destination);
  tone.start(begin);
  tone.stop(begin + 0.3);
}
