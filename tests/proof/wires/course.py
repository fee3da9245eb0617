"""The course of a conversation, by chance."""

from tests.proof.wires.conversation import Conversation

MAX_TURNS = 12
ENDINGS = {"leave": 4, "spoil": 4, "scramble": 2, "be gone": 1}
"""How often, compared to each other."""


async def at_random(conversation: Conversation) -> None:
    """Some turns, then one of the ways to end."""
    chance = conversation.chance
    for _ in range(chance.randint(0, MAX_TURNS)):
        await conversation.turn()
    ending = chance.choices(list(ENDINGS), list(ENDINGS.values()))[0]
    conversation.said[ending] += 1
    conversation.note(f"--- {ending}")
    match ending:
        case "leave":
            await conversation.settle()
            await conversation.leave()
        case "spoil":
            if chance.random() < 0.5:
                await conversation.settle()
            conversation.stop()
            await conversation.spoil()
        case "scramble":
            await conversation.settle()
            await conversation.scramble()
        case "be gone":
            conversation.line.reset_at_close()
