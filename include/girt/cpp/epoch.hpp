// SPDX-License-Identifier: MIT
// epoch.hpp - girt::epoch, a read section by scope; see girt/epoch.h.
#ifndef GIRT_CPP_EPOCH_HPP
#define GIRT_CPP_EPOCH_HPP

#include <girt/epoch.h>

namespace girt
{

/** While one lives, nothing that its thread can see is freed by
 * girt::retire.  It belongs to the thread that made it. */
class epoch
{
  public:
    /** Enters. */
    epoch() noexcept
    {
        ::girt_epoch_enter();
    }

    epoch(const epoch &) = delete;
    epoch &operator=(const epoch &) = delete;

    /** Leaves. */
    ~epoch()
    {
        ::girt_epoch_exit();
    }
};

/**
 * Deletes an object once no section is open that began before; call it after
 * the object can no longer be found.
 *
 * @param object  made by new; NULL does nothing.
 */
template <class T> void retire(T *object) noexcept
{
    if (object)
        ::girt_epoch_retire(object, [](void *block) noexcept {
            delete static_cast<T *>(block);
        });
}

} // namespace girt

#endif // GIRT_CPP_EPOCH_HPP
