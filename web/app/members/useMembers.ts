/** The members of a room that are shown: those that are read, or what a search found of them. */
import { useEffect, useRef, useState } from "react";
import { useApp, useWatch } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { filtered } from "../core/members.ts";
import { ApiError } from "../core/api.ts";
import type { Member } from "../core/rest.ts";

const WAIT_MS = 200;

/** What the server found. */
interface Found {
  wanted: string;
  members: Member[];
  next: string | null;
}

export function useMembers(conversation: Conversation) {
  const { directory } = useApp();
  const topic = `members:${conversation.key}`;
  const version = useWatch(topic).version(topic);
  const [typed, setWanted] = useState("");
  const [found, setFound] = useState<Found | null>(null);
  const [trouble, setTrouble] = useState("");
  const [isLoading, setLoading] = useState(false);
  const asked = useRef(0);
  const wanted = typed.trim();
  const beyond = Boolean(wanted) && conversation.moreMembers;

  /** Of several calls, the last one's answer counts. */
  const call = async (run: () => Promise<unknown>) => {
    const number = ++asked.current;
    setLoading(true);
    try {
      const show = await run();
      if (number !== asked.current) return;
      setTrouble("");
      if (typeof show === "function") show();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (number === asked.current) setTrouble(error.message);
    }
    if (number === asked.current) setLoading(false);
  };
  const find = async (before: Found | null) => {
    const page = await directory.pageOfMembers(conversation, wanted, before?.next ?? null);
    const members = [...(before?.members ?? []), ...page.members];
    return () => setFound({ wanted, members, next: page.more ? (page.next ?? null) : null });
  };
  const load = () => void call(() => directory.loadMembers(conversation));

  useEffect(load, [conversation]);
  // A role changed, or somebody came or went: what was found is not what is.
  useEffect(() => {
    if (!beyond) return setFound(null);
    const timer = setTimeout(() => void call(() => find(null)), WAIT_MS);
    return () => clearTimeout(timer);
  }, [beyond, wanted, version]);

  const here = conversation.members;
  const members = beyond && found?.wanted === wanted ? found.members : here && filtered(here, wanted);
  return {
    members,
    trouble,
    wanted: typed,
    setWanted,
    isLoading,
    hasMore: beyond ? found?.next != null : !wanted && conversation.moreMembers,
    more: () => void call(() => (beyond ? find(found) : directory.moreMembers(conversation))),
    reload: load,
  };
}
